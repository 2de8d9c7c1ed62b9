#include "base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace slipway {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "slipway: bug: `%s` does not hold at %s:%d\n", condition, file, line);
  std::abort();
}

namespace {

ErrorKind kind_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorKind::NotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::Denied;
    default:
      return ErrorKind::Io;
  }
}

}  // namespace

Error errno_error(std::string_view what) { return errno_error(what, errno); }

Error errno_error(std::string_view what, int error_number) {
  char buffer[128];
  Error error = make_error(kind_of(error_number), "{}: {}", what,
                           strerror_r(error_number, buffer, sizeof buffer));
  if (error_number == ENOSPC || error_number == EDQUOT) {
    error.hints.push_back(
        "make room on the disk, then run the same command again: what is done is kept");
  }
  return error;
}

}  // namespace slipway
