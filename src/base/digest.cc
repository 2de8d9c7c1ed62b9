#include "base/digest.h"

#include <fcntl.h>

// The same code that EVP_sha256 leads to. OpenSSL calls it deprecated because no provider can take
// its place; what leads there has to be set up first, which takes as long as starting a container
// may.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

#include "base/sha256_pair.h"
#include "base/unique_fd.h"

namespace slipway {

std::string Digest::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(64);
  for (unsigned char byte : value) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

std::string Digest::base64url() const {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  unsigned bits = 0;
  int count = 0;
  for (unsigned char byte : value) {
    bits = bits << 8 | byte;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text.push_back(kAlphabet[bits >> count & 63]);
    }
  }
  if (count > 0) text.push_back(kAlphabet[bits << (6 - count) & 63]);
  return text;
}

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Result<Digest> parse_digest(std::string_view text) {
  std::string_view hex = text;
  if (hex.starts_with("sha256:")) hex.remove_prefix(7);
  Digest digest;
  bool valid = hex.size() == 64;
  for (std::size_t i = 0; valid && i < 32; ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    valid = high >= 0 && low >= 0;
    if (valid) digest.value[i] = static_cast<unsigned char>(high * 16 + low);
  }
  if (!valid) return make_error(ErrorKind::InvalidInput, "`{}` is not a sha256 digest", text);
  return digest;
}

struct Sha256::State {
  SHA256_CTX context;
  State() { SHA256_Init(&context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(Bytes bytes) { SHA256_Update(&state_->context, bytes.data(), bytes.size()); }

Digest Sha256::finish() {
  Digest digest;
  SHA256_Final(digest.value.data(), &state_->context);
  return digest;
}

namespace {

constexpr std::size_t kBlockBytes = SHA256_CBLOCK;

/// Takes from `bytes` what completes the block that `context` has begun.
void complete_block(SHA256_CTX& context, Bytes& bytes) {
  if (context.num == 0) return;
  const std::size_t count = std::min(bytes.size(), kBlockBytes - context.num);
  SHA256_Update(&context, bytes.data(), count);
  bytes = bytes.subspan(count);
}

/// The length that a finished hash counts in, in bits.
void count_bytes(SHA256_CTX& context, std::size_t bytes) {
  const std::uint64_t bits = (std::uint64_t{context.Nh} << 32 | context.Nl) + 8 * bytes;
  context.Nh = static_cast<SHA_LONG>(bits >> 32);
  context.Nl = static_cast<SHA_LONG>(bits);
}

}  // namespace

void update_both(Sha256& first, Bytes first_bytes, Sha256& second, Bytes second_bytes) {
  SHA256_CTX& one = first.state_->context;
  SHA256_CTX& two = second.state_->context;
  if (can_hash_pairs()) {
    complete_block(one, first_bytes);
    complete_block(two, second_bytes);
    const std::size_t blocks = std::min(first_bytes.size(), second_bytes.size()) / kBlockBytes;
    hash_pair(one.h, first_bytes.data(), two.h, second_bytes.data(), blocks);
    count_bytes(one, blocks * kBlockBytes);
    count_bytes(two, blocks * kBlockBytes);
    first_bytes = first_bytes.subspan(blocks * kBlockBytes);
    second_bytes = second_bytes.subspan(blocks * kBlockBytes);
  }
  first.update(first_bytes);
  second.update(second_bytes);
}

Digest sha256(Bytes bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Digest sha256(std::string_view text) { return sha256(as_bytes(text)); }

Result<Digest> sha256_of_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("cannot open `" + path + "`");
  FdSource source(fd.get());
  HashingSink sink;
  TRY_WHILE("hashing `" + path + "`", copy(source, sink));
  return sink.finish();
}

Result<void> HashingSink::write(Bytes bytes) {
  hash_.update(bytes);
  return pass_on(bytes);
}

Result<void> HashingSink::write_and_hash(Bytes bytes, Sha256& other) {
  update_both(hash_, bytes, other, bytes);
  return pass_on(bytes);
}

Result<void> HashingSink::pass_on(Bytes bytes) {
  size_bytes_ += bytes.size();
  if (next_ != nullptr) return next_->write(bytes);
  return {};
}

}  // namespace slipway

std::size_t std::hash<slipway::Digest>::operator()(const slipway::Digest& digest) const noexcept {
  std::size_t first;
  std::memcpy(&first, digest.value.data(), sizeof first);
  return first;
}
