#include "sign/secret_box.h"

#include <array>
#include <bit>
#include <cstdint>

#include "base/check.h"
#include "sign/keys.h"

namespace slipway::sign {
namespace {

constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kBlockBytes = 64;
using Words = std::array<std::uint32_t, 16>;

std::uint32_t word_at(std::string_view bytes, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = 4; i-- > 0;) {
    word = word << 8U | static_cast<unsigned char>(bytes[at + i]);
  }
  return word;
}

void put_word(std::string& out, std::uint32_t word) {
  for (int i = 0; i < 4; ++i) {
    out += static_cast<char>(word & 0xffU);
    word >>= 8U;
  }
}

/// `expand 32-byte k` on the diagonal, the key around it, and 16 bytes of input in the middle.
Words make_words(std::string_view key, std::string_view input) {
  return {0x61707865U,       word_at(key, 0),    word_at(key, 4),   word_at(key, 8),
          word_at(key, 12),  0x3320646eU,        word_at(input, 0), word_at(input, 4),
          word_at(input, 8), word_at(input, 12), 0x79622d32U,       word_at(key, 16),
          word_at(key, 20),  word_at(key, 24),   word_at(key, 28),  0x6b206574U};
}

void mix(Words& x, std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
  x[b] ^= std::rotl(x[a] + x[d], 7);
  x[c] ^= std::rotl(x[b] + x[a], 9);
  x[d] ^= std::rotl(x[c] + x[b], 13);
  x[a] ^= std::rotl(x[d] + x[c], 18);
}

/// Twenty rounds: columns, then rows, ten times.
void scramble(Words& x) {
  for (int i = 0; i < 10; ++i) {
    mix(x, 0, 4, 8, 12);
    mix(x, 5, 9, 13, 1);
    mix(x, 10, 14, 2, 6);
    mix(x, 15, 3, 7, 11);
    mix(x, 0, 1, 2, 3);
    mix(x, 5, 6, 7, 4);
    mix(x, 10, 11, 8, 9);
    mix(x, 15, 12, 13, 14);
  }
}

std::string hsalsa20(std::string_view key, std::string_view input) {
  Words x = make_words(key, input);
  scramble(x);
  std::string out;
  for (const std::size_t i : {0U, 5U, 10U, 15U, 6U, 7U, 8U, 9U}) put_word(out, x[i]);
  return out;
}

/// The first bytes of XSalsa20's stream.
std::string key_stream(std::string_view key, std::string_view nonce, std::size_t size) {
  const std::string own_key = hsalsa20(key, nonce.substr(0, 16));
  std::string out;
  for (std::uint64_t block = 0; out.size() < size; ++block) {
    std::string input(nonce.substr(16));
    put_word(input, static_cast<std::uint32_t>(block));
    put_word(input, static_cast<std::uint32_t>(block >> 32U));
    const Words start = make_words(own_key, input);
    Words x = start;
    scramble(x);
    for (std::size_t i = 0; i < x.size(); ++i) put_word(out, x[i] + start[i]);
  }
  return out;
}

std::string combine(std::string_view bytes, std::string_view stream) {
  std::string out(bytes);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(out[i] ^ stream[i]);
  return out;
}

bool are_equal(std::string_view a, std::string_view b) {
  int difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) difference |= a[i] ^ b[i];
  return difference == 0;
}

}  // namespace

Result<std::string> seal_box(std::string_view message, std::string_view nonce,
                             std::string_view key) {
  SLIPWAY_CHECK(nonce.size() == kBoxNonceBytes && key.size() == kBoxKeyBytes);
  const std::string stream = key_stream(key, nonce, message.size() + kBlockBytes);
  // The stream's first 32 bytes are Poly1305's key.
  const std::string sealed = combine(message, std::string_view(stream).substr(32));
  return TRY(authenticate(std::string_view(stream).substr(0, 32), sealed)) + sealed;
}

Result<std::optional<std::string>> open_box(std::string_view box, std::string_view nonce,
                                            std::string_view key) {
  SLIPWAY_CHECK(nonce.size() == kBoxNonceBytes && key.size() == kBoxKeyBytes);
  if (box.size() < kTagBytes) return std::optional<std::string>();
  const std::string_view sealed = box.substr(kTagBytes);
  const std::string stream = key_stream(key, nonce, sealed.size() + kBlockBytes);
  const std::string tag = TRY(authenticate(std::string_view(stream).substr(0, 32), sealed));
  if (!are_equal(tag, box.substr(0, kTagBytes))) return std::optional<std::string>();
  return std::optional(combine(sealed, std::string_view(stream).substr(32)));
}

}  // namespace slipway::sign
