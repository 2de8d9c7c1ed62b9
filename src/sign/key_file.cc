#include "sign/key_file.h"

#include <sys/random.h>

#include "base/base64.h"
#include "sign/json.h"
#include "sign/pem.h"
#include "sign/secret_box.h"

namespace slipway::sign {
namespace {

constexpr std::size_t kMostFileBytes = 64 << 10;
constexpr std::uint64_t kScryptN = 1 << 16;  ///< as cosign's
constexpr std::uint64_t kScryptR = 8;
constexpr std::string_view kOurLabel = "ENCRYPTED SIGSTORE PRIVATE KEY";

bool is_cosign_label(std::string_view label) {
  return label == kOurLabel || label == "ENCRYPTED COSIGN PRIVATE KEY";
}

Result<std::string> random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  if (::getrandom(bytes.data(), size, 0) != static_cast<ssize_t>(size)) {
    return errno_error("cannot get random bytes");
  }
  return bytes;
}

/// The block that a key file is about: OpenSSL writes `EC PARAMETERS` before a key.
Result<PemBlock> find_block(std::string_view text) {
  if (text.size() > kMostFileBytes) {
    return make_error(ErrorKind::Corrupt, "it is too large for a key");
  }
  for (PemBlock& block : TRY(parse_pem(text))) {
    if (block.label != "EC PARAMETERS") return std::move(block);
  }
  return make_error(ErrorKind::Corrupt, "it holds no key in PEM")
      .hint("`slipway sign --generate-key PREFIX` makes a pair");
}

std::uint64_t find_number(const nlohmann::json& document, std::initializer_list<const char*> path) {
  const nlohmann::json* found = find_member(document, path);
  return found != nullptr && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

/// Cosign's box around a PKCS #8 key.
Result<PrivateKey> open_sealed(const std::string& text, const std::string& passphrase) {
  const auto document = parse_object(text);
  if (!document) return make_error(ErrorKind::Corrupt, "what it holds is no locked key");
  const std::string kdf = find_text(*document, {"kdf", "name"});
  const std::string cipher = find_text(*document, {"cipher", "name"});
  if (kdf != "scrypt" || cipher != "nacl/secretbox") {
    return make_error(ErrorKind::Unsupported, "it is not locked by scrypt and nacl/secretbox");
  }
  const auto salt = decode_base64(find_text(*document, {"kdf", "salt"}));
  const auto nonce = decode_base64(find_text(*document, {"cipher", "nonce"}));
  const auto box = decode_base64(find_text(*document, {"ciphertext"}));
  if (!salt || !box || !nonce || nonce->size() != kBoxNonceBytes) {
    return make_error(ErrorKind::Corrupt, "what it holds is no locked key");
  }
  const std::string key =
      TRY(derive_key(passphrase, *salt, find_number(*document, {"kdf", "params", "N"}),
                     find_number(*document, {"kdf", "params", "r"}),
                     find_number(*document, {"kdf", "params", "p"})));
  const auto opened = open_box(*box, *nonce, key);
  if (!opened) return make_error(ErrorKind::Denied, "the passphrase does not open it");
  return PrivateKey::parse_pkcs8(*opened);
}

Result<ReadKey> read_private(const PemBlock& block, const AskPassphrase& ask) {
  const std::string& label = block.label;
  if (block.has_headers) {
    return make_error(ErrorKind::Unsupported, "it is locked in OpenSSL's format of before PKCS #8")
        .hint("`openssl pkcs8 -topk8 -in OLD -out NEW` writes today's");
  }
  if (is_cosign_label(label)) {
    const std::string passphrase = TRY(ask());
    return ReadKey{TRY(open_sealed(block.bytes, passphrase)), true};
  }
  if (label == "ENCRYPTED PRIVATE KEY") {
    const std::string passphrase = TRY(ask());
    return ReadKey{TRY(PrivateKey::parse_encrypted_pkcs8(block.bytes, passphrase)), true};
  }
  if (label == "PRIVATE KEY") return ReadKey{TRY(PrivateKey::parse_pkcs8(block.bytes)), false};
  if (label == "EC PRIVATE KEY") return ReadKey{TRY(PrivateKey::parse_sec1(block.bytes)), false};
  if (label == "PUBLIC KEY") {
    return make_error(ErrorKind::InvalidInput, "it is a public key, and only a private one signs");
  }
  return make_error(ErrorKind::Unsupported,
                    "it holds a `{}`; keys over P-256 and of Ed25519 are taken", label)
      .hint("`slipway sign --generate-key PREFIX` makes a pair");
}

Result<PublicKey> read_public(const PemBlock& block) {
  if (block.label == "PUBLIC KEY") return PublicKey::parse(block.bytes);
  if (block.label.ends_with("PRIVATE KEY")) {
    return make_error(ErrorKind::InvalidInput,
                      "it is a private key, and verifying takes the public one")
        .hint("`slipway sign` and `cosign` write it beside, with the end `.pub`");
  }
  return make_error(ErrorKind::Unsupported,
                    "it holds a `{}`; public keys over P-256 and of Ed25519 are taken",
                    block.label);
}

}  // namespace

Result<ReadKey> parse_private_key(std::string_view text, const std::string& shown,
                                  const AskPassphrase& ask) {
  const std::string step = fmt::format("reading the key `{}`", shown);
  const PemBlock block = TRY_WHILE(step, find_block(text));
  return TRY_WHILE(step, read_private(block, ask));
}

Result<PublicKey> parse_public_key(std::string_view text, const std::string& shown) {
  const std::string step = fmt::format("reading the key `{}`", shown);
  const PemBlock block = TRY_WHILE(step, find_block(text));
  return TRY_WHILE(step, read_public(block));
}

Result<std::string> encode_private_key(const PrivateKey& key, const std::string& passphrase) {
  const std::string salt = TRY(random_bytes(32));
  const std::string nonce = TRY(random_bytes(kBoxNonceBytes));
  const std::string box_key = TRY(derive_key(passphrase, salt, kScryptN, kScryptR, 1));
  const std::string plain = TRY(key.pkcs8());
  const std::string box = seal_box(plain, nonce, box_key);
  const nlohmann::ordered_json sealed{
      {"kdf",
       {{"name", "scrypt"},
        {"params", {{"N", kScryptN}, {"r", kScryptR}, {"p", 1}}},
        {"salt", encode_base64(salt)}}},
      {"cipher", {{"name", "nacl/secretbox"}, {"nonce", encode_base64(nonce)}}},
      {"ciphertext", encode_base64(box)}};
  return encode_pem(kOurLabel, sealed.dump());
}

}  // namespace slipway::sign
