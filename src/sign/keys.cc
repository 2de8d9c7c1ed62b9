#include "sign/keys.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <bit>

#include "base/check.h"
#include "sign/ed25519.h"
#include "sign/pem.h"

namespace slipway::sign {

struct KeyHandle {
  explicit KeyHandle(EVP_PKEY* key) : pkey(key) {}
  KeyHandle(const KeyHandle&) = delete;
  KeyHandle& operator=(const KeyHandle&) = delete;
  ~KeyHandle() { EVP_PKEY_free(pkey); }
  EVP_PKEY* pkey;
};

namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* what) const {
    Free(what);
  }
};
using Digester = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freer<PKCS8_PRIV_KEY_INFO_free>>;
using Sealed = std::unique_ptr<X509_SIG, Freer<X509_SIG_free>>;

constexpr std::uint64_t kMostScryptBytes = 1 << 30;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

Error failed(std::string_view what) {
  return make_error(ErrorKind::Io, "libcrypto cannot {}", what);
}

Error no_key(std::string_view what) {
  return make_error(ErrorKind::Corrupt, "it does not hold a {} key", what);
}

/// `i2d` of OpenSSL, with room made first.
template <typename T>
std::string der_of(int (*encode)(T*, unsigned char**), T* value) {
  const int size = encode(value, nullptr);
  if (size <= 0) return {};
  std::string der(static_cast<std::size_t>(size), '\0');
  unsigned char* out = bytes_of(der);
  encode(value, &out);
  return der;
}

Result<void> check_kind(const EVP_PKEY* key) {
  const int kind = EVP_PKEY_get_base_id(key);
  if (kind == EVP_PKEY_ED25519) return {};
  char curve[80] = "";
  if (kind == EVP_PKEY_EC) {
    EVP_PKEY_get_group_name(key, curve, sizeof curve, nullptr);
    if (std::string_view(curve) == "prime256v1") return {};
  }
  const std::string what = kind == EVP_PKEY_EC    ? fmt::format("over the curve {}", curve)
                           : kind == EVP_PKEY_RSA ? "of RSA"
                                                  : "of a kind unknown here";
  return make_error(ErrorKind::Unsupported,
                    "it holds a key {}; those over P-256 and of Ed25519 are taken", what)
      .hint("`slipway sign --generate-key PREFIX` makes a pair");
}

bool is_ed25519(const KeyHandle& key) { return EVP_PKEY_get_base_id(key.pkey) == EVP_PKEY_ED25519; }

std::string ed25519_public_key(const KeyHandle& key) {
  std::string half(kEd25519KeyBytes, '\0');
  std::size_t size = half.size();
  SLIPWAY_CHECK(EVP_PKEY_get_raw_public_key(key.pkey, bytes_of(half), &size) == 1 &&
                size == half.size());
  return half;
}

/// What EVP_DigestSign hashes with before it signs; the plain form of Ed25519 takes the message.
const EVP_MD* hash_for(const KeyHandle& key) { return is_ed25519(key) ? nullptr : EVP_sha256(); }

Result<std::shared_ptr<const KeyHandle>> take(EVP_PKEY* key, std::string_view what) {
  if (key == nullptr) return no_key(what);
  auto handle = std::make_shared<const KeyHandle>(key);
  TRY(check_kind(key));
  return handle;
}

}  // namespace

Result<PublicKey> PublicKey::parse(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  auto key = TRY(take(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())), "public"));
  return PublicKey(std::move(key),
                   std::string(der.substr(0, static_cast<std::size_t>(at - bytes_of(der)))));
}

std::string PublicKey::pem() const { return encode_pem("PUBLIC KEY", der_); }

bool PublicKey::has_signed(std::string_view message, std::string_view signature) const {
  if (is_ed25519(*key_) && verify_ed25519ph(message, signature, ed25519_public_key(*key_))) {
    return true;
  }
  const Digester context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, hash_for(*key_), nullptr, key_->pkey) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                          message.size()) == 1;
}

Result<PrivateKey> PrivateKey::adopt(std::shared_ptr<const KeyHandle> key) {
  PublicKey known(key, der_of<const EVP_PKEY>(i2d_PUBKEY, key->pkey));
  if (known.der().empty()) return no_key("private");
  return PrivateKey(std::move(key), std::move(known));
}

Result<PrivateKey> PrivateKey::generate() {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "prime256v1");
  if (key == nullptr) return failed("make a key");
  return adopt(std::make_shared<const KeyHandle>(key));
}

Result<PrivateKey> PrivateKey::parse_pkcs8(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  const Pkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (!info) return no_key("private");
  return adopt(TRY(take(EVP_PKCS82PKEY(info.get()), "private")));
}

Result<PrivateKey> PrivateKey::parse_sec1(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  return adopt(TRY(
      take(d2i_PrivateKey(EVP_PKEY_EC, nullptr, &at, static_cast<long>(der.size())), "private")));
}

Result<PrivateKey> PrivateKey::parse_encrypted_pkcs8(std::string_view der,
                                                     const std::string& passphrase) {
  const unsigned char* at = bytes_of(der);
  const Sealed sealed(d2i_X509_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!sealed) return no_key("private");
  const Pkcs8 info(
      PKCS8_decrypt(sealed.get(), passphrase.data(), static_cast<int>(passphrase.size())));
  if (!info) return make_error(ErrorKind::Denied, "the passphrase does not open it");
  return adopt(TRY(take(EVP_PKCS82PKEY(info.get()), "private")));
}

Result<std::string> PrivateKey::sign(std::string_view message) const {
  const Digester context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, hash_for(*key_), nullptr, key_->pkey) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes_of(message), message.size()) != 1) {
    return failed("sign");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), bytes_of(signature), &size, bytes_of(message),
                     message.size()) != 1) {
    return failed("sign");
  }
  signature.resize(size);
  return signature;
}

Result<std::string> PrivateKey::pkcs8() const {
  const Pkcs8 info(EVP_PKEY2PKCS8(key_->pkey));
  if (!info) return failed("write the key");
  return der_of<const PKCS8_PRIV_KEY_INFO>(i2d_PKCS8_PRIV_KEY_INFO, info.get());
}

Result<std::string> derive_key(const std::string& passphrase, std::string_view salt,
                               std::uint64_t n, std::uint64_t r, std::uint64_t p) {
  const bool is_sane = n > 1 && std::has_single_bit(n) && n <= (1U << 24U) && r > 0 && r <= 64 &&
                       p > 0 && p <= 16 && 128 * n * r <= kMostScryptBytes;
  if (!is_sane) {
    return make_error(ErrorKind::Unsupported, "it asks for scrypt with N = {}, r = {}, p = {}", n,
                      r, p);
  }
  std::string key(32, '\0');
  if (EVP_PBE_scrypt(passphrase.data(), passphrase.size(), bytes_of(salt), salt.size(), n, r, p,
                     2 * kMostScryptBytes, bytes_of(key), key.size()) != 1) {
    return failed("derive a key");
  }
  return key;
}

}  // namespace slipway::sign
