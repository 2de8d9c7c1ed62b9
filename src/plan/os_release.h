/// os-release(5): which system an image is.
#pragma once

#include <string>
#include <string_view>

namespace slipway::plan {

/// The value of a key, without quotes; empty where it is not there. Pure.
std::string os_release_word(std::string_view text, std::string_view key);

/// "debian 12", "alpine 3.20", "debian trixie" of one without a number; may be empty. Pure.
std::string os_name(std::string_view text);

}  // namespace slipway::plan
