#include "plan/image_frame.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <set>

#include "base/file.h"

namespace slipway::plan {
namespace {

using layer::Entry;
using layer::EntryKind;

Entry file_entry(std::string path, std::string text, unsigned mode = 0644) {
  return {std::move(path), EntryKind::File, mode, 0, 0, "", std::move(text)};
}
Entry link_entry(std::string path, std::string target) {
  return {std::move(path), EntryKind::Link, 0777, 0, 0, std::move(target), ""};
}
Entry folder_entry(std::string path, unsigned mode, std::uint32_t owner) {
  return {std::move(path), EntryKind::Folder, mode, owner, owner, "", ""};
}

/// For those who type `source /opt/venv/bin/activate` out of habit: PATH has it already.
constexpr const char* kActivate =
    "# The environment is active already: PATH starts with it. This file changes a shell in which\n"
    "# that has been undone.\n"
    "VIRTUAL_ENV=/opt/venv\n"
    "export VIRTUAL_ENV\n"
    "case \":$PATH:\" in\n"
    "  *:/opt/venv/bin:*) ;;\n"
    "  *) PATH=\"/opt/venv/bin:$PATH\"; export PATH ;;\n"
    "esac\n"
    "unset PYTHONHOME\n";

/// A login shell (sshd, `su -`) starts from /etc/profile, which sets PATH anew.
constexpr const char* kProfile =
    "# Slipway: the image's Python environment.\n. /opt/venv/bin/activate\n";

std::vector<Entry> venv_entries(const spec::Lock& lock) {
  const std::string& python = lock.python_version;
  const std::string interpreter = lock.base ? lock.base->interpreter : "/usr/bin/python" + python;
  // PEP 405: `home` is where the interpreter is that the environment was made from.
  const std::string configuration = fmt::format(
      "home = {}\ninclude-system-site-packages = false\nversion = {}\n"
      "executable = {}\n",
      parent_path(interpreter), python, interpreter);
  std::vector<Entry> entries;
  entries.push_back(file_entry("opt/venv/pyvenv.cfg", configuration));
  entries.push_back(link_entry("opt/venv/bin/python", interpreter));
  entries.push_back(link_entry("opt/venv/bin/python3", "python"));
  entries.push_back(link_entry("opt/venv/bin/python" + python, "python"));
  entries.push_back(link_entry("opt/venv/lib64", "lib"));
  entries.push_back(folder_entry("opt/venv/lib/python" + python + "/site-packages", 0755, 0));
  entries.push_back(file_entry("opt/venv/bin/activate", kActivate));
  entries.push_back(file_entry("etc/profile.d/slipway.sh", kProfile));
  return entries;
}

constexpr std::uint32_t kDebianShadow = 42;  // of base-passwd, and of Ubuntu's

/// Who may read the shadow file: the group `shadow` of the base, where there is one.
std::uint32_t find_shadow_group(std::string_view group) {
  constexpr std::string_view kName = "shadow:";
  while (!group.empty()) {
    const std::size_t end = std::min(group.find('\n'), group.size());
    std::string_view line = group.substr(0, end);
    group.remove_prefix(std::min(end + 1, group.size()));
    const std::size_t colon = line.find(':', kName.size());
    if (!line.starts_with(kName) || colon == std::string_view::npos) continue;
    std::uint32_t gid = 0;
    std::from_chars(line.data() + colon + 1, line.data() + line.size(), gid);
    return gid;
  }
  return 0;
}

/// Walks one path of [project] copy.
class CodeWalk {
 public:
  CodeWalk(const ProjectFolder& project, int folder_fd, std::vector<Entry>& entries)
      : project_(project), folder_fd_(folder_fd), entries_(entries) {}

  Result<void> add(const std::string& path) {
    struct stat status;
    if (::fstatat(folder_fd_, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return make_error(ErrorKind::InvalidInput, "`{}` is not in the project", path)
          .reason(fmt::format("[project] copy of `{}` names it", project_.file()))
          .hint("add it, or take it off the list");
    }
    const std::string inside = fmt::format("{}/{}", kWorkspace + 1, path);
    if (S_ISLNK(status.st_mode)) return add_link(path, inside);
    if (S_ISREG(status.st_mode)) {
      const unsigned mode = (status.st_mode & 0111) != 0 ? 0755 : 0644;
      entries_.push_back({inside, EntryKind::File, mode, 0, 0, "",
                          layer::HostFile{join_path(project_.path, path)}});
      return {};
    }
    if (!S_ISDIR(status.st_mode)) {
      return make_error(ErrorKind::InvalidInput, "`{}` is neither a file, a folder nor a link",
                        path);
    }
    entries_.push_back(folder_entry(inside, 0755, 0));
    for (const std::string& name : TRY(list_folder(join_path(project_.path, path)))) {
      // Bytecode of the host's interpreter and version control are never meant.
      if (name == "__pycache__" || name == ".git") continue;
      TRY(add(path + "/" + name));
    }
    return {};
  }

 private:
  Result<void> add_link(const std::string& path, const std::string& inside) {
    // Opens only where the link's target is within the project.
    const Result<UniqueFd> target = open_beneath(folder_fd_, path, O_PATH);
    char text[4096];
    const ssize_t length = ::readlinkat(folder_fd_, path.c_str(), text, sizeof text);
    if (!target.ok() || length <= 0) {
      return make_error(ErrorKind::InvalidInput, "the link `{}` leads nowhere in the project", path)
          .hint("copy what it points to into the project, or take it off [project] copy");
    }
    entries_.push_back(link_entry(inside, std::string(text, static_cast<std::size_t>(length))));
    return {};
  }

  const ProjectFolder& project_;
  int folder_fd_;
  std::vector<Entry>& entries_;
};

}  // namespace

Result<std::vector<Entry>> frame_entries(const spec::Project& project, const spec::Lock& lock,
                                         const layer::UserFiles& base) {
  std::vector<Entry> entries = venv_entries(lock);
  const bool is_root = project.user.uid == 0;
  if (!is_root) {
    layer::ImageUser user;
    user.name = project.user.name;
    user.uid = project.user.uid;
    user.home = "/home/" + project.user.name;
    if (lock.base && !lock.base->shell.empty()) user.shell = lock.base->shell;
    const layer::UserFiles files = TRY(layer::add_user(base, user));
    entries.push_back(file_entry("etc/passwd", files.passwd));
    entries.push_back(file_entry("etc/group", files.group));
    if (!lock.base || !base.shadow.empty()) {
      entries.push_back(file_entry("etc/shadow", files.shadow, 0640));
      entries.back().gid = lock.base ? find_shadow_group(base.group) : kDebianShadow;
    }
    entries.push_back(folder_entry(user.home.substr(1), 0700, user.uid));
  }
  entries.push_back(folder_entry(kWorkspace + 1, 0755, project.user.uid));
  return entries;
}

Result<void> check_frame(const spec::Lock& lock, const std::vector<WheelFacts>& wheels) {
  std::set<std::string> ours;     // files and links: nothing may be there or below
  std::set<std::string> folders;  // nothing but a folder may be there
  for (const Entry& entry : venv_entries(lock)) {
    (entry.kind == EntryKind::Folder ? folders : ours).insert(entry.path);
    for (std::string folder = parent_path(entry.path); folder != ".";
         folder = parent_path(folder)) {
      folders.insert(folder);
    }
  }
  for (const WheelFacts& wheel : wheels) {
    for (const layer::WheelPath& path : wheel.paths) {
      bool clashes = folders.contains(path.path);
      for (std::string part = path.path; part != "." && !clashes; part = parent_path(part)) {
        clashes = ours.contains(part);
      }
      if (!clashes) continue;
      return make_error(ErrorKind::InvalidInput, "{} brings `/{}`, which belongs to the image",
                        wheel.label(), path.path)
          .reason("the environment's interpreter and what makes it work are not for packages")
          .hint(fmt::format("use another version of {}, or another package", wheel.input.name));
    }
  }
  return {};
}

Result<std::vector<Entry>> code_entries(const ProjectFolder& project) {
  std::vector<Entry> entries;
  const UniqueFd folder = TRY(open_file(project.path, O_PATH | O_DIRECTORY));
  CodeWalk walk(project, folder.get(), entries);
  for (const std::string& path : project.spec.code.copy) TRY(walk.add(path));
  if (!entries.empty()) {
    entries.push_back(folder_entry(kWorkspace + 1, 0755, project.spec.user.uid));
  }
  return entries;
}

}  // namespace slipway::plan
