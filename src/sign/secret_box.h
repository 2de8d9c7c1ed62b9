/// NaCl's secretbox (XSalsa20 and Poly1305), by libsodium: what cosign locks its private keys with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slipway::sign {

inline constexpr std::size_t kBoxKeyBytes = 32;
inline constexpr std::size_t kBoxNonceBytes = 24;

/// 16 bytes longer than `message`. A nonce is used once with a key.
std::string seal_box(std::string_view message, std::string_view nonce, std::string_view key);
/// Nothing where the box was not sealed with this key and nonce.
std::optional<std::string> open_box(std::string_view box, std::string_view nonce,
                                    std::string_view key);

}  // namespace slipway::sign
