#include "sign/secret_box.h"

#include <sodium/crypto_secretbox.h>

#include "base/check.h"

namespace slipway::sign {
namespace {

static_assert(kBoxKeyBytes == crypto_secretbox_KEYBYTES);
static_assert(kBoxNonceBytes == crypto_secretbox_NONCEBYTES);

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string seal_box(std::string_view message, std::string_view nonce, std::string_view key) {
  SLIPWAY_CHECK(nonce.size() == kBoxNonceBytes && key.size() == kBoxKeyBytes);
  std::string box(message.size() + crypto_secretbox_MACBYTES, '\0');
  crypto_secretbox_easy(bytes_of(box), bytes_of(message), message.size(), bytes_of(nonce),
                        bytes_of(key));
  return box;
}

std::optional<std::string> open_box(std::string_view box, std::string_view nonce,
                                    std::string_view key) {
  SLIPWAY_CHECK(nonce.size() == kBoxNonceBytes && key.size() == kBoxKeyBytes);
  if (box.size() < crypto_secretbox_MACBYTES) return std::nullopt;
  std::string message(box.size() - crypto_secretbox_MACBYTES, '\0');
  if (crypto_secretbox_open_easy(bytes_of(message), bytes_of(box), box.size(), bytes_of(nonce),
                                 bytes_of(key)) != 0) {
    return std::nullopt;
  }
  return message;
}

}  // namespace slipway::sign
