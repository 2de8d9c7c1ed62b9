/// Versions of NVIDIA's driver: `570.86.15`, `525.60.13`, or a branch alone, `570`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::gpu {

struct DriverVersion {
  std::vector<int> parts;  ///< one to three: who says `570` means its branch
  bool operator==(const DriverVersion&) const = default;
  std::string text() const;
  int branch() const { return parts.empty() ? 0 : parts[0]; }
};

/// Digits and dots alone. InvalidInput on anything else.
Result<DriverVersion> parse_driver_version(std::string_view text);

/// The lowest driver that a specifier of slipway.toml allows: `>=525`, `>= 525.60.13`, `570.86`,
/// `==570.*`. InvalidInput where it has no lower bound.
Result<DriverVersion> lowest_driver(std::string_view specifier);

/// -1, 0 or 1 by all parts, missing ones as 0: an order for sorting.
int compare(const DriverVersion& a, const DriverVersion& b);

/// Whether `driver` is `floor` or newer, by the parts that it says: branch `525` reaches 525.60.13,
/// since whoever names a branch means its current driver.
bool reaches(const DriverVersion& driver, const DriverVersion& floor);

}  // namespace slipway::gpu
