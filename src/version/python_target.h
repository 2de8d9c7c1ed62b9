/// The Python and the platform that a package must fit: the target's, never this host's.
#pragma once

#include <string>
#include <string_view>

#include "version/marker.h"

namespace slipway::version {

/// CPython on Linux with glibc.
struct PythonTarget {
  int major = 3;
  int minor = 11;
  std::string architecture = "x86_64";  ///< as `uname -m` says it
  int glibc_major = 2;
  int glibc_minor = 36;
  bool operator==(const PythonTarget&) const = default;
};

/// What markers see on that target. `full_version` is that of the interpreter: "3.11.2". The
/// kernel's release and version are empty: an image does not know where it will run.
MarkerEnvironment marker_environment(const PythonTarget& target, std::string_view full_version);

}  // namespace slipway::version
