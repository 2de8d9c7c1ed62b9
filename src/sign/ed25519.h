/// Ed25519ph (RFC 8032 §5.1, with an empty context): the form in which cosign signs where the key
/// is an Ed25519 one. By libsodium, since libcrypto has it from 3.2 on only. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::sign {

inline constexpr std::size_t kEd25519KeyBytes = 32, kEd25519SignatureBytes = 64;

/// `seed` is the private key of RFC 8032 and of PKCS #8 (RFC 8410): kEd25519KeyBytes.
std::string sign_ed25519ph(std::string_view message, std::string_view seed);
/// `public_key` has kEd25519KeyBytes; a signature of any other length than its own is none.
bool verify_ed25519ph(std::string_view message, std::string_view signature,
                      std::string_view public_key);

}  // namespace slipway::sign
