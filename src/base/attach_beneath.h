/// A mount put at a place in a folder that others may be changing meanwhile.
#pragma once

#include <sys/types.h>

namespace slipway {

/// Attaches the mount `mount_fd` at `path` beneath `folder`, wherever that leads inside of it: no
/// link, however often it is swapped, leads out. What is missing of `path` is made, folders and at
/// last a folder or a file (`kind`: S_IFDIR or S_IFREG). Async-signal-safe. Returns 0, or -1 with
/// errno.
int attach_beneath(int mount_fd, const char* folder, const char* path, mode_t kind);

}  // namespace slipway
