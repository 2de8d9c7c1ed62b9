/// How the parts of slipway.lock read the fields of a table. Private to the lock's parser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/utc_time.h"
#include "spec/lock.h"
#include "spec/reader.h"

namespace slipway::spec {

/// What to do about a lock that `slipway lock` would not write.
inline constexpr std::string_view kRemedy = "it is written by `slipway lock`: run that again";

/// Each reports what is wrong, and then gives an empty value.
std::string required(TableReader& table, std::string_view key);
std::string optional(TableReader& table, std::string_view key);
Digest required_digest(TableReader& table, std::string_view key);
std::optional<UtcTime> optional_time(TableReader& table, std::string_view key);
std::uint64_t required_size(TableReader& table);
std::vector<std::string> sorted_list(TableReader& table, std::string_view key);

/// `[image]` and the `[[layer]]` tables, held against the wheels of the lock.
std::optional<LockedImage> read_locked_image(TableReader& root, const Lock& lock);

}  // namespace slipway::spec
