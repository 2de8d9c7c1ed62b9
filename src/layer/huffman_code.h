/// Length-limited Huffman codes as deflate wants them (RFC 1951, 3.2.2 and 3.2.7). Pure, and the
/// same everywhere: ties are broken by the symbol.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace slipway::layer {

struct HuffmanCode {
  std::uint16_t bits = 0;  ///< already reversed: deflate packs codes from the most significant bit
  std::uint8_t length = 0;
};

/// Lengths of at most `limit` for the symbols with a frequency above 0. The code is complete and
/// has at least two symbols (the first ones are added where fewer are used), because some decoders
/// refuse others. `lengths` has the size of `frequencies`, at most 288.
void make_code_lengths(std::span<const std::uint32_t> frequencies, unsigned limit,
                       std::span<std::uint8_t> lengths);

/// The canonical codes of these lengths.
void make_codes(std::span<const std::uint8_t> lengths, std::span<HuffmanCode> codes);

}  // namespace slipway::layer
