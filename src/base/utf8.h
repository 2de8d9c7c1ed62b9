/// UTF-8, where bytes from outside are shown or judged.
#pragma once

#include <cstddef>
#include <string_view>

namespace slipway {

/// Length of the sequence at the front of `text`, which is not empty; 0 where there is none
/// (RFC 3629: no surrogates, no overlong forms).
std::size_t utf8_length(std::string_view text);

/// Whether it consists of such sequences.
bool is_utf8(std::string_view text);

}  // namespace slipway
