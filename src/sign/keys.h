/// Keys that sign, as cosign takes them without being told: ECDSA over P-256 with SHA-256, which is
/// what it makes, and Ed25519. With the latter cosign 3.1 signs in the prehashed form and verifies
/// the plain one alone, so that it refuses its own; here the plain one is written, and both are
/// taken.
///
/// All of libcrypto hangs on this file, so it is loaded when a function here is first called, and
/// not when the program starts (docs/decisions/0014-one-program.md).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/error.h"

namespace slipway::sign {

struct KeyHandle;  ///< an EVP_PKEY

class PublicKey {
 public:
  /// A SubjectPublicKeyInfo in DER. Corrupt where it is none, Unsupported for another kind of key.
  static Result<PublicKey> parse(std::string_view der);

  /// Whether `signature` is one over `message` with this key: ASN.1 for ECDSA, RFC 8032 for
  /// Ed25519, in either form.
  bool has_signed(std::string_view message, std::string_view signature) const;

  const std::string& der() const { return der_; }
  std::string pem() const;
  /// SHA-256 of the DER: what a bundle calls its key by.
  Digest fingerprint() const { return sha256(der_); }

 private:
  friend class PrivateKey;
  PublicKey(std::shared_ptr<const KeyHandle> key, std::string der)
      : key_(std::move(key)), der_(std::move(der)) {}
  std::shared_ptr<const KeyHandle> key_;
  std::string der_;
};

class PrivateKey {
 public:
  /// A new one over P-256, as cosign makes them.
  static Result<PrivateKey> generate();
  /// In DER. Corrupt where it is none, Unsupported for another kind of key.
  static Result<PrivateKey> parse_pkcs8(std::string_view der);
  static Result<PrivateKey> parse_sec1(std::string_view der);  ///< RFC 5915, `EC PRIVATE KEY`
  /// An EncryptedPrivateKeyInfo (RFC 5958). Denied where the passphrase is not its own.
  static Result<PrivateKey> parse_encrypted_pkcs8(std::string_view der,
                                                  const std::string& passphrase);

  Result<std::string> sign(std::string_view message) const;
  const PublicKey& public_key() const { return public_; }
  Result<std::string> pkcs8() const;  ///< DER, in the clear

 private:
  PrivateKey(std::shared_ptr<const KeyHandle> key, PublicKey known)
      : key_(std::move(key)), public_(std::move(known)) {}
  static Result<PrivateKey> adopt(std::shared_ptr<const KeyHandle> key);
  std::shared_ptr<const KeyHandle> key_;
  PublicKey public_;
};

/// RFC 7914 with 32 bytes of key, for what a file asks. Unsupported where that is no power of two
/// or takes more than 1 GiB.
Result<std::string> derive_key(const std::string& passphrase, std::string_view salt,
                               std::uint64_t n, std::uint64_t r, std::uint64_t p);

}  // namespace slipway::sign
