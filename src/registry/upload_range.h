/// The `Range` with which a registry tells what it has of an upload. Pure. Private to `registry`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace slipway::registry {

/// `0-1023` -> 1024: what the registry has. `0-0` is also how an empty upload is told, and counts
/// as one. Nothing where it does not say.
std::optional<std::uint64_t> end_of_range(std::string_view text);

}  // namespace slipway::registry
