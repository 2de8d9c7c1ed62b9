#include "layer/huffman_code.h"

#include <algorithm>

#include "base/check.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kMostSymbols = 288;

struct Leaf {
  std::uint32_t frequency;
  std::uint16_t symbol;
};

/// The depth of every leaf of a Huffman tree over leaves sorted by rising frequency. Merged nodes
/// come into being in rising order too, so two queues take the place of a heap.
void find_depths(std::span<const Leaf> leaves, std::span<std::uint16_t> depths) {
  const std::size_t count = leaves.size();
  std::array<std::uint64_t, kMostSymbols> weights;
  std::array<std::uint16_t, 2 * kMostSymbols> parents;
  std::size_t leaf = 0, node = 0;
  for (std::size_t made = 0; made + 1 < count; ++made) {
    std::uint64_t weight = 0;
    for (int child = 0; child < 2; ++child) {
      const auto parent = static_cast<std::uint16_t>(count + made);
      if (node >= made || (leaf < count && leaves[leaf].frequency <= weights[node])) {
        weight += leaves[leaf].frequency;
        parents[leaf++] = parent;
      } else {
        weight += weights[node];
        parents[count + node++] = parent;
      }
    }
    weights[made] = weight;
  }
  std::array<std::uint16_t, 2 * kMostSymbols> depth;
  depth[2 * count - 2] = 0;
  for (std::size_t i = 2 * count - 2; i-- > 0;) {
    depth[i] = static_cast<std::uint16_t>(depth[parents[i]] + 1);
  }
  std::copy_n(depth.begin(), count, depths.begin());
}

/// How many codes there are of each length once none is longer than `limit`. Too deep leaves are
/// put at the limit, which makes the code one unit of 2^-limit too full for each; a leaf higher up
/// that becomes a node over itself and one of them gives one unit back.
std::array<std::uint32_t, 16> count_lengths(std::span<const std::uint16_t> depths, unsigned limit) {
  std::array<std::uint32_t, 16> counts{};
  for (const std::uint16_t depth : depths) ++counts[std::min<unsigned>(depth, limit)];
  std::uint64_t used = 0;
  for (unsigned length = 1; length <= limit; ++length) {
    used += static_cast<std::uint64_t>(counts[length]) << (limit - length);
  }
  for (; used > 1ULL << limit; --used) {
    unsigned length = limit - 1;
    while (counts[length] == 0) --length;
    --counts[length];
    counts[length + 1] += 2;
    --counts[limit];
  }
  return counts;
}

}  // namespace

void make_code_lengths(std::span<const std::uint32_t> frequencies, unsigned limit,
                       std::span<std::uint8_t> lengths) {
  SLIPWAY_CHECK(frequencies.size() <= kMostSymbols && lengths.size() == frequencies.size());
  std::fill(lengths.begin(), lengths.end(), std::uint8_t{0});
  std::array<Leaf, kMostSymbols> leaves;
  std::size_t count = 0;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    if (frequencies[i] > 0) leaves[count++] = {frequencies[i], static_cast<std::uint16_t>(i)};
  }
  for (std::uint16_t i = 0; count < 2; ++i) {
    if (frequencies[i] == 0) leaves[count++] = {0, i};
  }
  std::sort(leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(count),
            [](const Leaf& a, const Leaf& b) {
              return a.frequency != b.frequency ? a.frequency < b.frequency : a.symbol < b.symbol;
            });
  std::array<std::uint16_t, kMostSymbols> depths;
  find_depths({leaves.data(), count}, depths);
  const auto counts = count_lengths({depths.data(), count}, limit);
  std::size_t next = 0;  // the rarest get the longest
  for (unsigned length = limit; length > 0; --length) {
    for (std::uint32_t i = 0; i < counts[length]; ++i) {
      lengths[leaves[next++].symbol] = static_cast<std::uint8_t>(length);
    }
  }
}

void make_codes(std::span<const std::uint8_t> lengths, std::span<HuffmanCode> codes) {
  std::array<std::uint32_t, 17> counts{}, next{};
  for (const std::uint8_t length : lengths) ++counts[length];
  counts[0] = 0;
  for (std::size_t length = 1; length <= 15; ++length) {
    next[length + 1] = (next[length] + counts[length]) << 1;
  }
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const std::uint8_t length = lengths[i];
    std::uint32_t code = length == 0 ? 0 : next[length]++;
    std::uint32_t reversed = 0;
    for (unsigned bit = 0; bit < length; ++bit, code >>= 1) reversed = reversed << 1 | (code & 1);
    codes[i] = {static_cast<std::uint16_t>(reversed), length};
  }
}

}  // namespace slipway::layer
