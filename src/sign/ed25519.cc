#include "sign/ed25519.h"

#include <sodium/crypto_sign_ed25519.h>

#include "base/check.h"

namespace slipway::sign {
namespace {

static_assert(kEd25519KeyBytes == crypto_sign_ed25519_PUBLICKEYBYTES &&
              kEd25519SignatureBytes == crypto_sign_ed25519_BYTES);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

bool verify_ed25519ph(std::string_view message, std::string_view signature,
                      std::string_view public_key) {
  SLIPWAY_CHECK(public_key.size() == kEd25519KeyBytes);
  if (signature.size() != kEd25519SignatureBytes) return false;
  crypto_sign_ed25519ph_state state;
  crypto_sign_ed25519ph_init(&state);
  crypto_sign_ed25519ph_update(&state, bytes_of(message), message.size());
  return crypto_sign_ed25519ph_final_verify(&state, bytes_of(signature), bytes_of(public_key)) == 0;
}

}  // namespace slipway::sign
