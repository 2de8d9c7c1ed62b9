/// A moment in UTC, as indexes and people write it: RFC 3339. Pure; nothing here asks the clock.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway {

using UtcTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// `2025-01-31T12:00:00Z`, with parts of a second and an offset (`+01:00`) where given, or a date
/// alone: the midnight in UTC with which it begins. What is finer than a millisecond is cut off.
/// Fails with InvalidInput.
Result<UtcTime> parse_utc_time(std::string_view text);

/// `2025-01-31T12:00:00Z`; with three digits of a second where they are not zero.
std::string utc_time_text(UtcTime time);

}  // namespace slipway
