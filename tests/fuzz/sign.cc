/// Any bytes as key files, bundles and simple signatures.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sign/bundle.h"
#include "sign/key_file.h"
#include "sign/simple_signing.h"

using namespace slipway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const sign::PrivateKey key = sign::PrivateKey::generate().value();
  static const Digest image = sha256("image");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // No bytes of anybody's are signed by a key that was made just now.
  const sign::PublicKey& known = key.public_key();
  if (sign::check_bundle(text, known, image).verdict == sign::Verdict::Good) __builtin_trap();
  const std::string_view half = text.substr(0, size / 2);
  if (sign::check_simple(half, text.substr(half.size()), known, image).verdict ==
      sign::Verdict::Good) {
    __builtin_trap();
  }
  // Scrypt would take most of the time: whoever is asked gives no passphrase.
  const auto nobody = []() -> Result<std::string> {
    return make_error(ErrorKind::Denied, "nobody is there");
  };
  (void)sign::parse_private_key(text, "key", nobody);
  if (const auto read = sign::parse_public_key(text, "key"); read.ok()) {
    if (!sign::parse_public_key(read->pem(), "key").ok()) __builtin_trap();
  }
  return 0;
}
