#include "run/shown_files.h"

#include <sys/stat.h>

#include "base/file.h"
#include "run/record.h"

namespace slipway::run {

Result<void> make_shown_folder(const std::string& path) {
  if (is_folder(path)) return {};
  TRY(make_folders(path));
  if (::chmod(path.c_str(), 0755) != 0) return errno_error(fmt::format("cannot make `{}`", path));
  return {};
}

Result<void> write_shown_file(const std::string& path, std::string_view text) {
  TRY(write_scratch_file(path, text));
  if (::chmod(path.c_str(), 0644) != 0) return errno_error(fmt::format("cannot make `{}`", path));
  return {};
}

}  // namespace slipway::run
