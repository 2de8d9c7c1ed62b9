#include "layer/merged_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <set>

#include "base/file.h"
#include "base/sandbox_overlay.h"
#include "layer/file_looks.h"

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
  return copy_looks(from.get(), to.get(), OverlayAttributes::Drop, path);
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
  Merger(OverlayAttributes marks, const CancelToken& cancel) : marks_(marks), cancel_(cancel) {}

  Result<void> fill(std::vector<UniqueFd> parts, int target, const std::string& path) {
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
    return copy_looks(parts.front().get(), target, marks_, path);
  }

 private:
  Result<void> take(const dirent& entry, const std::vector<UniqueFd>& parts, std::size_t i,
                    int target, const std::string& parent) {
    TRY(cancel_.check());  // a folder may have millions of them
    const Entry here{parts[i].get(), entry.d_name};
    struct stat status {};
    if (entry.d_type == DT_REG || entry.d_type == DT_LNK) {
      status.st_mode = DTTOIF(entry.d_type);
    } else if (::fstatat(here.folder, here.name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return failed("look at", join_path(parent, entry.d_name));
    }
    if (is_whiteout(status) && marks_ == OverlayAttributes::Drop) return {};
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

  OverlayAttributes marks_;
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
  return Merger(OverlayAttributes::Drop, cancel).fill(std::move(parts), root.get(), "/");
}

Result<void> clone_layer(const std::string& layer, const std::string& target,
                         const CancelToken& cancel) {
  std::vector<UniqueFd> parts;
  parts.push_back(TRY(open_file(layer, kFolderFlags)));
  const UniqueFd root = TRY(open_file(target, kFolderFlags));
  return Merger(OverlayAttributes::Keep, cancel).fill(std::move(parts), root.get(), "/");
}

}  // namespace slipway::layer
