#include <fcntl.h>
#include <sys/stat.h>

#include "store/ref_path.h"
#include "store/store.h"

namespace slipway::store {

void Store::note_use(const ImageName& name) const {
  const Result<std::string> path = ref_path(name);
  // No fsync, and no failure: a use that is forgotten costs at worst a pull.
  if (path.ok()) ::utimensat(AT_FDCWD, inside(*path).c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

Result<UtcTime> Store::last_use(const ImageName& name) const {
  const std::string path = inside(TRY(ref_path(name)));
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return errno_error("cannot look at `" + path + "`");
  return UtcTime(std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::seconds(status.st_mtim.tv_sec) +
      std::chrono::nanoseconds(status.st_mtim.tv_nsec)));
}

}  // namespace slipway::store
