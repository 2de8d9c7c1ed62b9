#include "layer/deflate_block.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/check.h"
#include "layer/huffman_code.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kLiterals = 286, kDistances = 30, kLengthCodes = 19, kEndOfBlock = 256;
// RFC 1951, 3.2.7: the order in which the lengths of the code length code are sent.
constexpr std::array<std::uint8_t, kLengthCodes> kOrder{16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                        11, 4,  12, 3, 13, 2, 14, 1, 15};

struct Slot {
  std::uint16_t symbol;
  std::uint8_t extra_bits;
  std::uint16_t base;
};

/// RFC 1951, 3.2.5: the first eight lengths and four distances have a symbol each, then every
/// power of two is cut into four (lengths) or two (distances).
constexpr Slot length_slot(unsigned length) {
  if (length == 258) return {285, 0, 258};
  const unsigned offset = length - 3;
  if (offset < 8)
    return {static_cast<std::uint16_t>(257 + offset), 0, static_cast<std::uint16_t>(length)};
  const auto extra = static_cast<unsigned>(std::bit_width(offset)) - 3;
  const unsigned quarter = offset >> extra;  // 4…7
  return {static_cast<std::uint16_t>(257 + 4 * extra + quarter), static_cast<std::uint8_t>(extra),
          static_cast<std::uint16_t>((quarter << extra) + 3)};
}

constexpr Slot distance_slot(unsigned less_one) {
  if (less_one < 4)
    return {static_cast<std::uint16_t>(less_one), 0, static_cast<std::uint16_t>(less_one)};
  const auto extra = static_cast<unsigned>(std::bit_width(less_one)) - 2;
  const unsigned half = less_one >> extra;  // 2…3
  return {static_cast<std::uint16_t>(2 * extra + half), static_cast<std::uint8_t>(extra),
          static_cast<std::uint16_t>(half << extra)};
}

constexpr auto kLengthSlots = [] {
  std::array<Slot, 259> slots{};
  for (unsigned i = 3; i <= 258; ++i) slots[i] = length_slot(i);
  return slots;
}();

struct Codes {
  std::array<std::uint8_t, 288> literal_lengths{};
  std::array<std::uint8_t, 32> distance_lengths{};
};

constexpr Codes kFixed = [] {
  Codes codes;
  for (std::size_t i = 0; i < 288; ++i) {
    codes.literal_lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  }
  codes.distance_lengths.fill(5);
  return codes;
}();

struct Frequencies {
  std::array<std::uint32_t, kLiterals> literals{};
  std::array<std::uint32_t, kDistances> distances{};
  std::uint64_t extra_bits = 0;
};

Frequencies count(std::span<const Token> tokens) {
  Frequencies frequencies;
  for (const Token& token : tokens) {
    if (token.length == 0) {
      ++frequencies.literals[token.value];
      continue;
    }
    const Slot& length = kLengthSlots[token.length];
    const Slot distance = distance_slot(token.value);
    ++frequencies.literals[length.symbol];
    ++frequencies.distances[distance.symbol];
    frequencies.extra_bits += static_cast<unsigned>(length.extra_bits + distance.extra_bits);
  }
  ++frequencies.literals[kEndOfBlock];
  return frequencies;
}

std::uint64_t body_bits(const Frequencies& frequencies, const Codes& codes) {
  std::uint64_t bits = frequencies.extra_bits;
  for (std::size_t i = 0; i < kLiterals; ++i) {
    bits += static_cast<std::uint64_t>(frequencies.literals[i]) * codes.literal_lengths[i];
  }
  for (std::size_t i = 0; i < kDistances; ++i) {
    bits += static_cast<std::uint64_t>(frequencies.distances[i]) * codes.distance_lengths[i];
  }
  return bits;
}

/// The code lengths themselves, run-length coded: RFC 1951, 3.2.7.
struct CodeTable {
  struct Run {
    std::uint8_t symbol, extra, extra_bits;
  };
  std::array<Run, kLiterals + kDistances> runs;
  std::size_t run_count = 0;
  std::size_t literals = 257, distances = 1, orders = 4;
  std::array<std::uint8_t, kLengthCodes> lengths{};
  std::uint64_t bits = 0;

  void add(std::uint8_t symbol, std::size_t extra, std::uint8_t extra_bits) {
    runs[run_count++] = {symbol, static_cast<std::uint8_t>(extra), extra_bits};
  }
  void add_runs(std::span<const std::uint8_t> all);
};

void CodeTable::add_runs(std::span<const std::uint8_t> all) {
  for (std::size_t i = 0; i < all.size();) {
    std::size_t run = 1;
    while (i + run < all.size() && all[i + run] == all[i]) ++run;
    if (all[i] == 0 && run >= 3) {
      run = std::min<std::size_t>(run, 138);
      if (run <= 10) {
        add(17, run - 3, 3);
      } else {
        add(18, run - 11, 7);
      }
    } else if (run >= 4) {
      run = std::min<std::size_t>(run, 7);
      add(all[i], 0, 0);
      add(16, run - 4, 2);
    } else {
      add(all[i], 0, 0);
      run = 1;
    }
    i += run;
  }
}

CodeTable make_table(const Codes& codes) {
  CodeTable table;
  for (std::size_t i = 257; i < kLiterals; ++i) {
    if (codes.literal_lengths[i] > 0) table.literals = i + 1;
  }
  for (std::size_t i = 1; i < kDistances; ++i) {
    if (codes.distance_lengths[i] > 0) table.distances = i + 1;
  }
  std::array<std::uint8_t, kLiterals + kDistances> all{};
  std::copy_n(codes.literal_lengths.begin(), table.literals, all.begin());
  std::copy_n(codes.distance_lengths.begin(), table.distances,
              all.begin() + static_cast<std::ptrdiff_t>(table.literals));
  table.add_runs({all.data(), table.literals + table.distances});

  std::array<std::uint32_t, kLengthCodes> frequencies{};
  for (std::size_t i = 0; i < table.run_count; ++i) ++frequencies[table.runs[i].symbol];
  make_code_lengths(frequencies, 7, table.lengths);
  for (std::size_t i = 4; i < kLengthCodes; ++i) {
    if (table.lengths[kOrder[i]] > 0) table.orders = i + 1;
  }
  table.bits = 14 + 3 * table.orders;
  for (std::size_t i = 0; i < table.run_count; ++i) {
    table.bits += table.lengths[table.runs[i].symbol] + std::uint64_t{table.runs[i].extra_bits};
  }
  return table;
}

void write_table(const CodeTable& table, BitWriter& bits, std::string& out) {
  bits.put(table.literals - 257, 5, out);
  bits.put(table.distances - 1, 5, out);
  bits.put(table.orders - 4, 4, out);
  for (std::size_t i = 0; i < table.orders; ++i) bits.put(table.lengths[kOrder[i]], 3, out);
  std::array<HuffmanCode, kLengthCodes> codes;
  make_codes(table.lengths, codes);
  for (std::size_t i = 0; i < table.run_count; ++i) {
    const CodeTable::Run& run = table.runs[i];
    bits.put(codes[run.symbol].bits, codes[run.symbol].length, out);
    bits.put(run.extra, run.extra_bits, out);
  }
}

void write_tokens(std::span<const Token> tokens, const Codes& lengths, BitWriter& bits,
                  std::string& out) {
  std::array<HuffmanCode, 288> literals;
  std::array<HuffmanCode, 32> distances;
  make_codes(lengths.literal_lengths, literals);
  make_codes(lengths.distance_lengths, distances);
  for (const Token& token : tokens) {
    if (token.length == 0) {
      bits.put(literals[token.value].bits, literals[token.value].length, out);
      continue;
    }
    const Slot& length = kLengthSlots[token.length];
    const HuffmanCode& code = literals[length.symbol];
    const auto extra = static_cast<std::uint32_t>(token.length - length.base);
    bits.put(code.bits | extra << code.length, code.length + std::uint32_t{length.extra_bits}, out);
    const Slot distance = distance_slot(token.value);
    const HuffmanCode& far = distances[distance.symbol];
    const auto rest = static_cast<std::uint32_t>(token.value - distance.base);
    bits.put(far.bits | rest << far.length, far.length + std::uint32_t{distance.extra_bits}, out);
  }
  bits.put(literals[kEndOfBlock].bits, literals[kEndOfBlock].length, out);
}

void write_stored(Bytes raw, BitWriter& bits, std::string& out) {
  bits.align(out);
  const std::size_t size = raw.size();
  bits.put(size | (~size & 0xffff) << 16, 32, out);
  bits.align(out);
  out.append(as_text(raw));
}

}  // namespace

void write_block(std::span<const Token> tokens, Bytes raw, LastBlock last, BitWriter& bits,
                 std::string& out) {
  SLIPWAY_CHECK(raw.size() <= 65535);
  const Frequencies frequencies = count(tokens);
  Codes own;
  make_code_lengths(frequencies.literals, 15, std::span(own.literal_lengths).first(kLiterals));
  make_code_lengths(frequencies.distances, 15, std::span(own.distance_lengths).first(kDistances));
  const CodeTable table = make_table(own);

  const std::uint64_t own_bits = table.bits + body_bits(frequencies, own);
  const std::uint64_t fixed_bits = body_bits(frequencies, kFixed);
  const unsigned after_header = (bits.pending_bits() + 3) % 8;
  const std::uint64_t stored_bits = (8 - after_header) % 8 + 32 + 8 * raw.size();

  bits.put(last == LastBlock::Yes ? 1 : 0, 1, out);
  if (stored_bits < std::min(own_bits, fixed_bits)) {
    bits.put(0, 2, out);
    write_stored(raw, bits, out);
  } else if (fixed_bits <= own_bits) {
    bits.put(1, 2, out);
    write_tokens(tokens, kFixed, bits, out);
  } else {
    bits.put(2, 2, out);
    write_table(table, bits, out);
    write_tokens(tokens, own, bits, out);
  }
  if (last == LastBlock::Yes) bits.align(out);
}

}  // namespace slipway::layer
