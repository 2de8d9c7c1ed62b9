/// Base64 of RFC 4648, section 4, with its padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slipway {

std::string encode_base64(std::string_view bytes);

/// Nothing where a character is none of its alphabet, or where the end is none of an encoding.
/// Padding may be missing; line breaks and bits beyond the last byte are refused.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace slipway
