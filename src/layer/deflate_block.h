/// Writes one deflate block from literals and matches. Part of the encoder.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/io.h"

namespace slipway::layer {

/// Bits, least significant first (RFC 1951, 3.1.1).
class BitWriter {
 public:
  void put(std::uint64_t value, unsigned count, std::string& out) {
    bits_ |= value << filled_;
    filled_ += count;
    if (filled_ >= 32) {
      const auto word = static_cast<std::uint32_t>(bits_);
      const char bytes[4] = {static_cast<char>(word), static_cast<char>(word >> 8),
                             static_cast<char>(word >> 16), static_cast<char>(word >> 24)};
      out.append(bytes, 4);
      bits_ >>= 32;
      filled_ -= 32;
    }
  }
  /// Fills up to a whole byte with zeros.
  void align(std::string& out) {
    for (; filled_ > 0; filled_ -= filled_ < 8 ? filled_ : 8) {
      out.push_back(static_cast<char>(bits_));
      bits_ >>= 8;
    }
    bits_ = 0;
  }
  unsigned pending_bits() const { return filled_ % 8; }

 private:
  std::uint64_t bits_ = 0;
  unsigned filled_ = 0;  ///< below 32 between calls; `put` takes up to 32 bits
};

/// A literal byte, or a match: `length` 3…258, `distance` 1…32768.
struct Token {
  std::uint16_t length = 0;  ///< 0: `value` is a literal
  std::uint16_t value = 0;   ///< else the distance less 1
};

enum class LastBlock { No, Yes };

/// Writes the tokens, which stand for `raw` (at most 65,535 bytes), in the shortest of the three
/// forms.
void write_block(std::span<const Token> tokens, Bytes raw, LastBlock last, BitWriter& bits,
                 std::string& out);

}  // namespace slipway::layer
