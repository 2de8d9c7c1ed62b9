#include "run/prepared_mounts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"

namespace slipway::run {

Result<void> make_mount_place(const std::string& path, mode_t kind) {
  if (S_ISDIR(kind)) return make_folders(path);
  (void)TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL));
  return {};
}

std::ptrdiff_t depth_of(const std::string& path) { return std::ranges::count(path, '/'); }

}  // namespace slipway::run
