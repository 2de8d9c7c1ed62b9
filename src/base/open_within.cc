#include "base/open_within.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace slipway {

int open_within(int folder, const char* path, int flags, unsigned long long resolve, mode_t mode) {
  constexpr int kMostTries = 10000;
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
  int fd = -1;
  for (int tries = 0; tries < kMostTries && fd < 0; ++tries) {
    fd = static_cast<int>(::syscall(SYS_openat2, folder, path, &how, sizeof how));
    if (fd < 0 && errno != EAGAIN) break;
  }
  return fd;
}

}  // namespace slipway
