/// What `slipway slim --drop` leaves out of packages: named rules, each with its price. Pure.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::plan {

struct DropRule {
  std::string_view name;  ///< `headers`
  std::string_view what;
  std::string_view cost;  ///< what no longer works
  /// Of a path in `site-packages` (`torch/include/ATen/ATen.h`), or out of it
  /// (`../../../include/…`).
  bool (*matches)(std::string_view path);
};

std::span<const DropRule> drop_rules();

/// InvalidInput with the nearest name.
Result<const DropRule*> find_drop_rule(std::string_view name);

}  // namespace slipway::plan
