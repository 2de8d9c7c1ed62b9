/// The only door to environment variables.
#pragma once

#include <optional>
#include <string>

namespace slipway {

/// Nothing where the variable is unset or empty.
std::optional<std::string> find_environment(const char* name);

/// The XDG base directories (XDG Base Directory Specification 0.8), with `slipway` appended.
/// $SLIPWAY_HOME and $SLIPWAY_CACHE take their place where they are set.
std::string store_folder();   ///< $SLIPWAY_HOME, else <data home>/slipway
std::string cache_folder();   ///< $SLIPWAY_CACHE, else <cache home>/slipway
std::string config_folder();  ///< <config home>/slipway

}  // namespace slipway
