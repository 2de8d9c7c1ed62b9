/// Ed25519ph (RFC 8032 §5.1, with an empty context): the form in which cosign 3 signs where the key
/// is an Ed25519 one. By libsodium, since libcrypto has it from 3.2 on only. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace slipway::sign {

inline constexpr std::size_t kEd25519KeyBytes = 32, kEd25519SignatureBytes = 64;

/// `public_key` has kEd25519KeyBytes; a signature of any other length than its own is none.
bool verify_ed25519ph(std::string_view message, std::string_view signature,
                      std::string_view public_key);

}  // namespace slipway::sign
