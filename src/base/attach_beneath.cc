#include "base/attach_beneath.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "base/open_within.h"

namespace slipway {
namespace {

int open_in(int folder, const char* path, int flags, unsigned long long resolve) {
  return open_within(folder, path, flags | O_PATH, resolve);
}

int make(int folder, const char* name, mode_t kind) {
  const int made =
      kind == S_IFDIR ? ::mkdirat(folder, name, 0755) : ::mknodat(folder, name, S_IFREG | 0644, 0);
  return made == 0 || errno == EEXIST ? 0 : -1;
}

/// Part by part, without a link: what this makes lies where it seems to.
int make_and_open(int folder, const char* path, mode_t kind) {
  int at = open_in(folder, ".", O_DIRECTORY, RESOLVE_BENEATH);
  while (at >= 0) {
    path += std::strspn(path, "/");
    const std::size_t size = std::strcspn(path, "/");
    char name[NAME_MAX + 1];
    if (size == 0) return at;
    if (size > NAME_MAX) {
      ::close(at);
      errno = ENAMETOOLONG;
      return -1;
    }
    std::memcpy(name, path, size);
    name[size] = '\0';
    path += size;
    const bool is_last = path[std::strspn(path, "/")] == '\0';
    const int next = make(at, name, is_last ? kind : S_IFDIR) != 0
                         ? -1
                         : open_in(at, name, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    const int error_number = errno;
    ::close(at);
    errno = error_number;
    at = next;
  }
  return -1;
}

}  // namespace

int attach_beneath(int mount_fd, const char* folder, const char* path, mode_t kind) {
  const int root = ::open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return -1;
  int target = open_in(root, path, 0, RESOLVE_IN_ROOT);
  if (target < 0 && errno == ENOENT) target = make_and_open(root, path, kind);
  int result = -1;
  if (target >= 0) {
    result =
        ::move_mount(mount_fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  }
  const int error_number = errno;
  ::close(target);
  ::close(root);
  errno = error_number;
  return result;
}

}  // namespace slipway
