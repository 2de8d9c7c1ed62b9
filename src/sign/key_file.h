/// Files of keys, as people have them.
///
/// Private: cosign's own (`ENCRYPTED SIGSTORE PRIVATE KEY`, `ENCRYPTED COSIGN PRIVATE KEY`: JSON
/// with the parameters of scrypt and a secretbox around PKCS #8; go-securesystemslib, `encrypted`),
/// PKCS #8 with and without a passphrase, and OpenSSL's `EC PRIVATE KEY`. Public: `PUBLIC KEY`.
/// What is something else (a certificate, the other half, RSA, a key of SSH) is called by its name.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sign/keys.h"

namespace slipway::sign {

/// Asked only where the file is locked.
using AskPassphrase = std::function<Result<std::string>()>;

struct ReadKey {
  PrivateKey key;
  bool is_locked = false;  ///< by a passphrase
};

/// `shown` is the file's name in messages. Corrupt, Unsupported, InvalidInput (the other half of a
/// pair), Denied (the passphrase).
Result<ReadKey> parse_private_key(std::string_view text, const std::string& shown,
                                  const AskPassphrase& ask);
Result<PublicKey> parse_public_key(std::string_view text, const std::string& shown);

/// In cosign's format, so that cosign can sign with it too; the passphrase may be empty, as there.
Result<std::string> encode_private_key(const PrivateKey& key, const std::string& passphrase);

}  // namespace slipway::sign
