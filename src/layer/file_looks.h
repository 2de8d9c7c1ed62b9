/// Owners, modes, times and extended attributes, from one open file or folder to another.
#pragma once

#include <sys/stat.h>

#include <string>

#include "base/error.h"

namespace slipway::layer {

/// overlayfs's own marks (`trusted.overlay.*`, `user.overlay.*`).
enum class OverlayAttributes { Drop, Keep };

/// `path` is for messages. Fails with Io or Denied.
Result<void> copy_looks(int from, int to, OverlayAttributes marks, const std::string& path);

/// The times alone.
Result<void> set_times(int fd, const struct stat& status, const std::string& path);

}  // namespace slipway::layer
