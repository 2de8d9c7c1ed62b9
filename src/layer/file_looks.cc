#include "layer/file_looks.h"

#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace slipway::layer {
namespace {

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

Result<void> copy_attributes(int from, int to, OverlayAttributes marks, const std::string& path) {
  char names[4096];
  const ssize_t size = ::flistxattr(from, names, sizeof names);
  if (size < 0 && errno != ENOTSUP) return failed("read the attributes of", path);
  for (ssize_t at = 0; at < size;) {
    const std::string name = names + at;
    at += static_cast<ssize_t>(name.size()) + 1;
    if (marks == OverlayAttributes::Drop && is_overlay_mark(name)) continue;
    std::string value(4096, '\0');
    const ssize_t length = ::fgetxattr(from, name.c_str(), value.data(), value.size());
    if (length < 0 ||
        ::fsetxattr(to, name.c_str(), value.data(), static_cast<std::size_t>(length), 0) != 0) {
      return failed("copy the attributes of", path);
    }
  }
  return {};
}

}  // namespace

Result<void> set_times(int fd, const struct stat& status, const std::string& path) {
  const timespec times[2] = {status.st_atim, status.st_mtim};
  if (::futimens(fd, times) != 0) return failed("set the times of", path);
  return {};
}

/// The owner before the mode: a change of owner clears the bits of setuid.
Result<void> copy_looks(int from, int to, OverlayAttributes marks, const std::string& path) {
  const struct stat status = TRY(look(from, path));
  if (::fchown(to, status.st_uid, status.st_gid) != 0) return failed("give", path);
  if (::fchmod(to, status.st_mode & 07777) != 0) return failed("set the mode of", path);
  TRY(copy_attributes(from, to, marks, path));
  return set_times(to, status, path);
}

}  // namespace slipway::layer
