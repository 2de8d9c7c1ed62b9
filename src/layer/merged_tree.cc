#include "layer/merged_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <set>

#include "base/file.h"
#include "base/sandbox_overlay.h"

namespace slipway::layer {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// One name in a folder of a layer.
struct Entry {
  int folder;
  const char* name;
};

Error failed(const char* what, const std::string& path) {
  return errno_error(fmt::format("cannot {} `{}`", what, path));
}

Result<struct stat> look(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return failed("look at", path);
  return status;
}

bool is_overlay_mark(std::string_view name) {
  return name.starts_with("trusted.overlay.") || name.starts_with("user.overlay.");
}

Result<void> copy_attributes(int from, int to, const std::string& path) {
  char names[4096];
  const ssize_t size = ::flistxattr(from, names, sizeof names);
  if (size < 0 && errno != ENOTSUP) return failed("read the attributes of", path);
  for (ssize_t at = 0; at < size;) {
    const std::string name = names + at;
    at += static_cast<ssize_t>(name.size()) + 1;
    if (is_overlay_mark(name)) continue;
    std::string value(4096, '\0');
    const ssize_t length = ::fgetxattr(from, name.c_str(), value.data(), value.size());
    if (length < 0 ||
        ::fsetxattr(to, name.c_str(), value.data(), static_cast<std::size_t>(length), 0) != 0) {
      return failed("copy the attributes of", path);
    }
  }
  return {};
}

/// The owner before the mode: a change of owner clears the bits of setuid.
Result<void> copy_looks(int from, int to, const std::string& path) {
  const struct stat status = TRY(look(from, path));
  if (::fchown(to, status.st_uid, status.st_gid) != 0) return failed("give", path);
  if (::fchmod(to, status.st_mode & 07777) != 0) return failed("set the mode of", path);
  TRY(copy_attributes(from, to, path));
  const timespec times[2] = {status.st_atim, status.st_mtim};
  if (::futimens(to, times) != 0) return failed("set the times of", path);
  return {};
}

bool cannot_be_linked(int error) {
  return error == EMLINK || error == EPERM || error == EXDEV || error == EOPNOTSUPP;
}

Result<void> copy_file(Entry entry, int target, const std::string& path) {
  const UniqueFd from(::openat(entry.folder, entry.name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!from) return failed("open", path);
  const UniqueFd to(
      ::openat(target, entry.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to) return failed("make", path);
  FdSource source(from.get());
  FdSink sink(to.get());
  TRY(copy(source, sink));
  return copy_looks(from.get(), to.get(), path);
}

Result<void> link_file(Entry entry, int target, const std::string& path) {
  if (::linkat(entry.folder, entry.name, target, entry.name, 0) == 0) return {};
  struct stat status {};
  if (cannot_be_linked(errno) &&
      ::fstatat(entry.folder, entry.name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISREG(status.st_mode)) {
    return copy_file(entry, target, path);
  }
  return failed("link", path);
}

/// Fills one folder from its parts in the layers, top first, then what is below it.
class Merger {
 public:
  explicit Merger(const CancelToken& cancel) : cancel_(cancel) {}

  Result<void> fill(std::vector<UniqueFd> parts, int target, const std::string& path) {
    TRY(cancel_.check());
    std::set<std::string, std::less<>> decided;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      // The stream's own descriptor, so that the part stays open.
      const std::unique_ptr<DIR, int (*)(DIR*)> stream(
          ::fdopendir(::openat(parts[i].get(), ".", kFolderFlags)), &::closedir);
      if (!stream) return failed("list", path);
      while (const dirent* const entry = ::readdir(stream.get())) {
        const std::string_view name = entry->d_name;
        if (name == "." || name == ".." || decided.contains(name)) continue;
        // The last part hides nothing from another.
        if (i + 1 < parts.size()) decided.emplace(name);
        TRY(take(*entry, parts, i, target, path));
      }
    }
    return copy_looks(parts.front().get(), target, path);
  }

 private:
  Result<void> take(const dirent& entry, const std::vector<UniqueFd>& parts, std::size_t i,
                    int target, const std::string& parent) {
    const Entry here{parts[i].get(), entry.d_name};
    struct stat status {};
    if (entry.d_type == DT_REG || entry.d_type == DT_LNK) {
      status.st_mode = DTTOIF(entry.d_type);
    } else if (::fstatat(here.folder, here.name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return failed("look at", join_path(parent, entry.d_name));
    }
    if (is_whiteout(status)) return {};
    const std::string path = join_path(parent, entry.d_name);
    if (!S_ISDIR(status.st_mode)) return link_file(here, target, path);
    if (::mkdirat(target, here.name, 0700) != 0) return failed("make", path);
    const UniqueFd made(::openat(target, here.name, kFolderFlags));
    if (!made) return failed("open", path);
    return fill(TRY(parts_of(here.name, parts, i, path)), made.get(), path);
  }

  /// The folder of that name in part `i`, and in those below it as far down as it reaches.
  static Result<std::vector<UniqueFd>> parts_of(const char* name,
                                                const std::vector<UniqueFd>& parts, std::size_t i,
                                                const std::string& path) {
    std::vector<UniqueFd> below;
    for (; i < parts.size(); ++i) {
      UniqueFd folder(::openat(parts[i].get(), name, kFolderFlags));
      if (!folder && errno == ENOENT) continue;
      // What is no folder ends it: links, files, whiteouts.
      if (!folder && !below.empty() && (errno == ENOTDIR || errno == ELOOP)) break;
      if (!folder) return failed("open", path);
      const bool is_last = is_opaque(folder.get());
      below.push_back(std::move(folder));
      if (is_last) break;
    }
    return below;
  }

  const CancelToken& cancel_;
};

}  // namespace

Result<void> merge_layers(const std::vector<std::string>& layers, const std::string& target,
                          const CancelToken& cancel) {
  std::vector<UniqueFd> parts;
  for (const std::string& layer : layers) {
    parts.push_back(TRY(open_file(layer, kFolderFlags)));
    if (is_opaque(parts.back().get())) break;
  }
  SLIPWAY_CHECK(!parts.empty());
  const UniqueFd root = TRY(open_file(target, kFolderFlags));
  return Merger(cancel).fill(std::move(parts), root.get(), "/");
}

}  // namespace slipway::layer
