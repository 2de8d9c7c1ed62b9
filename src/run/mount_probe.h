/// Whether namespaces and overlay mounts work here, found out by trying.
#pragma once

#include <string>

#include "base/error.h"

namespace slipway::run {

/// Values of errno(3); 0: it works. What could not be tried because of an earlier failure is 0 too.
struct MountProbe {
  int namespace_error = 0;  ///< unshare(2), and a mount(2) in it
  int overlay_error = 0;    ///< an overlay whose changes go to `folder`
  bool operator==(const MountProbe&) const = default;
};

/// In a child process, whose namespaces end with it; as an ordinary user in a user namespace. Makes
/// a folder in `folder` and removes it again. Fails where that cannot be made.
Result<MountProbe> probe_mounts(const std::string& folder);

}  // namespace slipway::run
