/// The names of the driver's libraries, from data/driver_libraries.toml.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::gpu {

struct DriverLibrary {
  std::string name;        ///< without version: `libcuda`
  std::string capability;  ///< compute, utility, video, graphics, ngx (libnvidia-container's words)
  /// What a container gets that computes.
  bool is_for_computing() const { return capability == "compute" || capability == "utility"; }
};

/// Fails with Corrupt on unknown tables or keys, and on a row without a source.
Result<std::vector<DriverLibrary>> parse_driver_libraries(std::string_view text);

/// Those built into the program; parsed once.
const std::vector<DriverLibrary>& driver_libraries();

/// Whether the file name is one of the driver's own: `libcuda.so.1`, `libcuda.so.570.86.15`.
const DriverLibrary* find_driver_library(std::string_view file_name);

}  // namespace slipway::gpu
