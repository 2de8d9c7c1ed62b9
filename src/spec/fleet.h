/// fleet.toml: hosts that an environment is checked against.
///
///   [[host]]
///   name   = "node-a"
///   gpu    = ["h100", "h100"]   # or one string
///   driver = "550.54.15"
///   glibc  = "2.28"             # only for locks and plain environments
///   cuda-compat = "12.8"        # NVIDIA's package, where the host brings it into containers
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::spec {

struct FleetHost {
  std::string name;
  std::vector<std::string> gpus;  ///< as written
  std::string driver;             ///< a version or a specifier; empty: not said
  std::string glibc;              ///< empty: not said
  std::string cuda_compat = {};   ///< `12.8`; empty: not said
  bool operator==(const FleetHost&) const = default;
};

/// Strict, as slipway.toml is: all mistakes together. A host needs a name of its own, and a GPU or
/// a driver. Fails with InvalidInput (file:line:column).
Result<std::vector<FleetHost>> parse_fleet(std::string_view text, std::string_view file_name);

}  // namespace slipway::spec
