#include "layer/layer_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include <memory>

#include "base/file.h"

namespace slipway::layer {

Result<UniqueFd> open_layer_folder(int root, const std::string& path) {
  return open_beneath(root, path.empty() ? "." : path.substr(1),
                      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

Result<void> visit_names(const UniqueFd& folder, const std::string& path, const VisitName& visit) {
  // The stream's own descriptor, so that the folder stays open.
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(
      ::fdopendir(::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), &::closedir);
  if (!stream) return errno_error(fmt::format("cannot list `{}`", path));
  for (;;) {
    errno = 0;  // readdir(3): the only way to tell its end from its failure
    const dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return errno_error(fmt::format("cannot list `{}`", path));
    if (entry == nullptr) return {};
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat status {};
    if (::fstatat(folder.get(), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
      return errno_error(fmt::format("cannot look at `{}/{}`", path, name));
    TRY(visit(entry->d_name, status));
  }
}

}  // namespace slipway::layer
