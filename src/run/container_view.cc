#include "run/container_view.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "base/open_within.h"

namespace slipway::run {
namespace {

std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(separators);
    if (begin == text.npos) return words;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

template <typename Take>
void each_line(std::string_view text, const Take& take) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    take(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// All zero where it is not open; no mount has the number 0.
struct statx mount_facts(const UniqueFd& file) {
  struct statx facts {};
  if (!file || ::statx(file.get(), "", AT_EMPTY_PATH, STATX_MNT_ID, &facts) != 0) return {};
  return facts;
}

}  // namespace

std::optional<MountLine> parse_mount_line(std::string_view line) {
  const std::size_t dash = line.find(" - ");
  if (dash == line.npos) return std::nullopt;
  const std::vector<std::string> left = split(line.substr(0, dash), " ");
  const std::vector<std::string> right = split(line.substr(dash + 3), " ");
  if (left.size() < 6 || right.size() < 3) return std::nullopt;
  MountLine mount;
  const std::string& id = left[0];
  if (std::from_chars(id.data(), id.data() + id.size(), mount.id).ec != std::errc()) {
    return std::nullopt;
  }
  mount.place = left[4];
  mount.options = split(left[5], ",");
  mount.type = right[0];
  mount.details = split(right[2], ",");
  return mount;
}

Result<ContainerView> ContainerView::open(pid_t pid) {
  const std::string folder = fmt::format("/proc/{}", pid);
  ContainerView view;
  view.root_ = TRY(open_file(folder + "/root", O_PATH | O_DIRECTORY));
  each_line(TRY(read_file(folder + "/status")), [&](std::string_view line) {
    const std::size_t colon = std::min(line.find(':'), line.size());
    view.status_[std::string(line.substr(0, colon))] =
        split(line.substr(std::min(colon + 1, line.size())), " \t");
  });
  view.limits_ = TRY(read_file(folder + "/limits"));
  each_line(TRY(read_file(folder + "/mountinfo")), [&](std::string_view line) {
    if (auto mount = parse_mount_line(line)) view.mounts_.push_back(std::move(*mount));
  });
  return view;
}

std::vector<std::string> ContainerView::status(const std::string& name) const {
  const auto found = status_.find(name);
  return found == status_.end() ? std::vector<std::string>() : found->second;
}

std::optional<std::pair<std::string, std::string>> ContainerView::limit(
    std::string_view name) const {
  std::optional<std::pair<std::string, std::string>> found;
  each_line(limits_, [&](std::string_view line) {
    if (!line.starts_with(name)) return;
    const std::vector<std::string> words = split(line.substr(name.size()), " ");
    if (words.size() >= 2) found = {words[0], words[1]};
  });
  return found;
}

UniqueFd ContainerView::open_inside(const std::string& path, int flags) const {
  return UniqueFd(open_within(root_.get(), path.c_str(), flags, RESOLVE_IN_ROOT));
}

const MountLine* ContainerView::find_mount(const std::string& path) const {
  const UniqueFd file = open_inside(path, O_PATH);
  const struct statx facts = mount_facts(file);
  if ((facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0) return nullptr;
  const auto found = std::ranges::find(mounts_, facts.stx_mnt_id, &MountLine::id);
  return found == mounts_.end() ? nullptr : &*found;
}

std::optional<struct stat> ContainerView::find_file(const std::string& path) const {
  const UniqueFd file = open_inside(path, O_PATH);
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0) return std::nullopt;
  return facts;
}

void ContainerView::add_special_files(const std::string& folder,
                                      std::map<std::string, struct stat>& found) const {
  const UniqueFd opened = open_inside(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const auto mount = std::ranges::find(mounts_, mount_facts(opened).stx_mnt_id, &MountLine::id);
  if (mount == mounts_.end() || folder == "/dev/pts") return;
  if (std::ranges::find(mount->options, "nodev") != mount->options.end()) return;
  const Result<std::vector<std::string>> names =
      list_folder(fmt::format("/proc/self/fd/{}", opened.get()));
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    struct stat facts {};
    if (::fstatat(opened.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const std::string path = join_path(folder, name);
    if (S_ISDIR(facts.st_mode)) {
      add_special_files(path, found);
    } else if (!S_ISREG(facts.st_mode) && !S_ISLNK(facts.st_mode)) {
      found.emplace(path, facts);
    }
  }
}

std::map<std::string, struct stat> ContainerView::list_special_files(
    const std::string& folder) const {
  std::map<std::string, struct stat> found;
  add_special_files(folder, found);
  return found;
}

}  // namespace slipway::run
