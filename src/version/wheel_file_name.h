/// The name of a wheel: PEP 427. `torch-2.6.0-1-cp311-cp311-manylinux1_x86_64.whl`. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "version/package_name.h"
#include "version/version.h"

namespace slipway::version {

/// Breaks ties between wheels of one version and rank: the higher one wins (PEP 427).
struct BuildTag {
  std::uint64_t number = 0;
  std::string rest;
  auto operator<=>(const BuildTag&) const = default;
};

struct WheelFileName {
  PackageName name;
  Version version;
  std::optional<BuildTag> build;
  std::vector<std::string> pythons;    ///< "py2.py3" is two
  std::vector<std::string> abis;       ///< compressed tag sets (PEP 425) are split
  std::vector<std::string> platforms;  ///< lower case
};

/// Fails with InvalidInput: no wheel, a name or version that is not allowed, empty tags.
Result<WheelFileName> parse_wheel_file_name(std::string_view file_name);

}  // namespace slipway::version
