#include "run/root_check.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/sandbox_overlay.h"

namespace slipway::run {

Result<void> check_system_folders(const std::vector<std::string>& folders) {
  for (const char* name : {"dev", "proc", "sys"}) {
    for (const std::string& folder : folders) {
      struct stat status {};
      if (::lstat(join_path(folder, name).c_str(), &status) != 0) continue;
      if (S_ISDIR(status.st_mode) || is_whiteout(status)) break;
      return make_error(ErrorKind::Denied, "the image's `/{}` is {}, not a folder", name,
                        S_ISLNK(status.st_mode) ? "a link" : "a file")
          .reason("a runtime that follows it would work on this machine's own files")
          .hint("do not run this image: nothing honest is made like this");
    }
  }
  return {};
}

}  // namespace slipway::run
