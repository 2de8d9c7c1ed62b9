#include "plan/captured_tree.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <deque>

#include "base/file.h"
#include "base/threads.h"

namespace slipway::plan {
namespace {

using layer::Entry;
using layer::EntryKind;

constexpr int kMostLinks = 40;  // as in the kernel: path_resolution(7)

/// What tools keep passwords in, wherever it lies.
constexpr std::array<std::string_view, 10> kSecretNames{
    "pip.conf", "pip.ini", ".netrc", ".pypirc", ".git-credentials",
    ".ssh",     ".aws",    ".gnupg", ".docker", ".git"};

Result<std::string> read_link(const std::string& path) {
  char text[PATH_MAX];
  const ssize_t length = ::readlink(path.c_str(), text, sizeof text);
  if (length < 0) return errno_error(fmt::format("reading the link `{}`", path));
  return std::string(text, static_cast<std::size_t>(length));
}

void push_parts(std::string_view path, std::deque<std::string>& parts) {
  std::vector<std::string> found;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") found.emplace_back(part);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  parts.insert(parts.begin(), found.begin(), found.end());
}

Entry make_entry(const std::string& path, EntryKind kind, unsigned mode) {
  Entry entry;
  entry.path = path.substr(1);
  entry.kind = kind;
  entry.mode = mode;
  return entry;
}

}  // namespace

void CapturedTree::put(const std::string& path, Entry entry) {
  files_.try_emplace(path, CapturedFile{std::move(entry), {}});
}

void CapturedTree::add_text(const std::string& path, std::string text) {
  Entry entry = make_entry(path, EntryKind::File, 0644);
  const Digest digest = sha256(text);
  entry.content = std::move(text);
  files_.insert_or_assign(path, CapturedFile{std::move(entry), digest});
}

void CapturedTree::add_link(const std::string& path, const std::string& target) {
  Entry entry = make_entry(path, EntryKind::Link, 0777);
  entry.link_target = target;
  put(path, std::move(entry));
}

void CapturedTree::add_folder(const std::string& path, unsigned mode) {
  put(path, make_entry(path, EntryKind::Folder, mode));
}

Result<std::optional<std::string>> CapturedTree::add(const std::string& path) {
  std::deque<std::string> parts;
  push_parts(path, parts);
  std::string current;
  for (int links = 0; !parts.empty();) {
    const std::string part = std::move(parts.front());
    parts.pop_front();
    if (part == "..") {
      current = current.substr(0, current.rfind('/') == std::string::npos ? 0 : current.rfind('/'));
      continue;
    }
    const std::string next = current + "/" + part;
    struct stat status;
    if (::lstat(next.c_str(), &status) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
      return errno_error(fmt::format("looking at `{}`", next));
    }
    if (S_ISLNK(status.st_mode)) {
      if (++links > kMostLinks) return std::optional<std::string>();
      const std::string target = TRY(read_link(next));
      add_link(next, target);
      push_parts(target, parts);
      if (target.starts_with('/')) current.clear();
      continue;
    }
    if (S_ISREG(status.st_mode)) {
      if (!parts.empty()) return std::optional<std::string>();
      Entry entry = make_entry(next, EntryKind::File, (status.st_mode & 0111) != 0 ? 0755 : 0644);
      entry.content = layer::HostFile{next};
      put(next, std::move(entry));
    } else if (S_ISDIR(status.st_mode)) {
      add_folder(next, 0755);
    } else {
      return std::optional<std::string>();
    }
    current = next;
  }
  return std::optional(current.empty() ? std::string("/") : current);
}

Result<void> CapturedTree::walk(const std::string& folder, const Leave& leave,
                                const CancelToken& cancel) {
  TRY(cancel.check());
  for (const std::string& name : TRY(list_folder(folder))) {
    const std::string path = folder + "/" + name;
    if (name == "__pycache__" || leave(path)) continue;
    struct stat status;
    if (::lstat(path.c_str(), &status) != 0) {
      return errno_error(fmt::format("looking at `{}`", path));
    }
    const bool is_special =
        !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISLNK(status.st_mode);
    if (is_special ||
        std::find(kSecretNames.begin(), kSecretNames.end(), name) != kSecretNames.end()) {
      left_out_.push_back(path);
      continue;
    }
    if (S_ISLNK(status.st_mode)) {
      add_link(path, TRY(read_link(path)));
    } else if (S_ISDIR(status.st_mode)) {
      add_folder(path, 0755);
      TRY(walk(path, leave, cancel));
    } else {
      TRY(add(path));
    }
  }
  return {};
}

Result<void> CapturedTree::add_tree(const std::string& folder, const Leave& leave,
                                    const CancelToken& cancel) {
  const auto real = TRY(add(folder));
  if (!real) return make_error(ErrorKind::NotFound, "there is no folder `{}`", folder);
  return walk(*real, leave, cancel);
}

Result<std::vector<std::string>> CapturedTree::follow_links(
    const std::function<bool(const std::string& path)>& may_follow) {
  std::vector<std::string> todo;
  for (const auto& [path, file] : files_) {
    if (file.entry.kind == EntryKind::Link) todo.push_back(path);
  }
  std::vector<std::string> dangling;
  for (const std::string& path : todo) {
    const std::string real = real_path(path);
    if (real.empty()) {
      dangling.push_back(path);
    } else if (!files_.contains(real)) {
      // A folder that was not asked for stays out: only files are followed.
      if (may_follow(real) && !is_folder(real)) {
        TRY(add(path));
      } else {
        dangling.push_back(path);
      }
    } else {
      TRY(add(path));  // the links on the way
    }
  }
  return dangling;
}

Result<void> CapturedTree::hash_files(Reporter& reporter, const CancelToken& cancel) {
  std::vector<CapturedFile*> todo;
  for (auto& [path, file] : files_) {
    const bool is_host = std::holds_alternative<layer::HostFile>(file.entry.content);
    if (is_host && file.entry.kind == EntryKind::File && file.sha256 == Digest()) {
      todo.push_back(&file);
    }
  }
  const Reporter::TaskId task = reporter.start("reading", "the environment", todo.size());
  const auto hash = [&](std::size_t i) -> Result<void> {
    todo[i]->sha256 = TRY(sha256_of_file(std::get<layer::HostFile>(todo[i]->entry.content).path));
    reporter.advance(task, 1);
    return {};
  };
  const auto done = for_each_parallel(todo.size(), usable_cores(), cancel, hash);
  reporter.finish(task);
  return done;
}

}  // namespace slipway::plan
