/// Ages as people write them.
#pragma once

#include <chrono>
#include <string_view>

#include "base/error.h"

namespace slipway::cli {

/// `45m`, `12h`, `30d`, `2w`: one number and one unit, from a minute to a century. InvalidInput.
Result<std::chrono::minutes> parse_age(std::string_view text);

}  // namespace slipway::cli
