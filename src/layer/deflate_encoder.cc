#include "layer/deflate_encoder.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "layer/deflate_block.h"

namespace slipway::layer {
namespace {

constexpr std::uint32_t kWindow = 32768;  // RFC 1951: the farthest distance
constexpr std::uint32_t kBlock = 65535;   // the most that a stored block can hold
constexpr std::uint32_t kShortest = 4, kLongest = 258;
constexpr std::uint32_t kGoodEnough = 32;  // no search for a longer match after one like this
constexpr int kDepth = 8;                  // candidates looked at for each position
constexpr unsigned kHashBits = 15;
constexpr std::uint32_t kFirst = 1u << 16;    // positions start here: 0 in the table is no position
constexpr std::uint32_t kRestart = 1u << 30;  // positions are counted anew after so many

std::uint32_t load32(const unsigned char* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap32(value);
  return value;
}

std::uint32_t hash_of(const unsigned char* at) {
  return load32(at) * 0x9e3779b1u >> (32 - kHashBits);
}

std::uint32_t common_length(const unsigned char* a, const unsigned char* b, std::uint32_t most) {
  std::uint32_t length = 0;
  while (length + 8 <= most) {
    std::uint64_t x, y;
    std::memcpy(&x, a + length, 8);
    std::memcpy(&y, b + length, 8);
    if (x != y) {
      const int same = std::endian::native == std::endian::big ? std::countl_zero(x ^ y)
                                                               : std::countr_zero(x ^ y);
      return length + static_cast<std::uint32_t>(same) / 8;
    }
    length += 8;
  }
  while (length < most && a[length] == b[length]) ++length;
  return length;
}

struct Match {
  std::uint32_t length = 0, distance = 0;
};

}  // namespace

/// `buffer` holds up to a window of what was encoded, then what waits to be encoded. Positions in
/// the hash table rise over all streams; those before `stream_start` count as absent, so nothing
/// needs to be cleared between the thousands of short streams of a layer.
struct DeflateEncoder::State {
  std::vector<unsigned char> buffer = std::vector<unsigned char>(kWindow + kBlock);
  std::uint32_t history = 0;        ///< bytes of the window in `buffer`
  std::uint32_t waiting = 0;        ///< bytes after it
  std::uint32_t position = kFirst;  ///< of the first waiting byte
  std::uint32_t stream_start = kFirst;
  std::uint32_t counted_from = kFirst;  ///< where positions of this stream were last counted anew
  std::vector<std::uint32_t> heads = std::vector<std::uint32_t>(1u << kHashBits);
  std::vector<std::uint32_t> previous = std::vector<std::uint32_t>(kWindow);
  std::vector<Token> tokens;
  BitWriter bits;

  void insert(const unsigned char* at, std::uint32_t pos) {
    std::uint32_t& head = heads[hash_of(at)];
    previous[pos % kWindow] = head;
    head = pos;
  }
  Match find(const unsigned char* at, std::uint32_t pos, std::uint32_t most,
             std::uint32_t longer_than) const;
  void find_tokens();
  void encode_block(LastBlock last, std::string& out);
  void forget_positions();
};

Match DeflateEncoder::State::find(const unsigned char* at, std::uint32_t pos, std::uint32_t most,
                                  std::uint32_t longer_than) const {
  Match best{longer_than, 0};
  const std::uint32_t oldest = std::max(stream_start, pos - kWindow);
  const std::uint32_t first = load32(at);
  std::uint32_t candidate = heads[hash_of(at)];
  for (int depth = 0; depth < kDepth && candidate >= oldest; ++depth) {
    const unsigned char* there = at - (pos - candidate);
    if (load32(there) == first &&
        (best.length < kShortest || best.length >= most || there[best.length] == at[best.length])) {
      const std::uint32_t length = common_length(there, at, most);
      if (length > best.length) best = {length, pos - candidate};
      if (best.length >= kGoodEnough || best.length >= most) break;
    }
    const std::uint32_t next = previous[candidate % kWindow];
    if (next >= candidate) break;
    candidate = next;
  }
  return best.distance > 0 && best.length >= kShortest ? best : Match{};
}

void DeflateEncoder::State::find_tokens() {
  tokens.clear();
  const unsigned char* const begin = buffer.data() + history;
  const std::uint32_t searchable = waiting < kShortest ? 0 : waiting - kShortest + 1;
  const auto literal = [&](std::uint32_t i) { tokens.push_back({0, begin[i]}); };
  std::uint32_t i = 0, misses = 0;
  while (i < searchable) {
    Match match = find(begin + i, position + i, std::min(kLongest, waiting - i), kShortest - 1);
    insert(begin + i, position + i);
    if (match.length == 0) {
      // The longer nothing was found, the larger the steps: what cannot be compressed goes fast.
      const std::uint32_t step = std::min(1 + (misses++ >> 7), waiting - i);
      for (std::uint32_t end = i + step; i < end; ++i) literal(i);
      continue;
    }
    misses = 0;
    while (match.length < kGoodEnough && i + 1 < searchable) {
      const Match later =
          find(begin + i + 1, position + i + 1, std::min(kLongest, waiting - i - 1), match.length);
      if (later.length <= match.length) break;
      literal(i++);
      insert(begin + i, position + i);
      match = later;
    }
    tokens.push_back(
        {static_cast<std::uint16_t>(match.length), static_cast<std::uint16_t>(match.distance - 1)});
    const std::uint32_t end = i + match.length;
    for (++i; i < std::min(end, searchable); ++i) insert(begin + i, position + i);
    i = end;
  }
  for (; i < waiting; ++i) literal(i);
}

void DeflateEncoder::State::encode_block(LastBlock last, std::string& out) {
  find_tokens();
  const Bytes raw = std::as_bytes(std::span(buffer)).subspan(history, waiting);
  write_block(tokens, raw, last, bits, out);
  const std::uint32_t filled = history + waiting;
  const std::uint32_t kept = std::min(filled, kWindow);
  std::memmove(buffer.data(), buffer.data() + filled - kept, kept);
  history = kept;
  position += waiting;
  waiting = 0;
  // Counted within the stream, so that what came before it has no say.
  if (position - counted_from >= kRestart) forget_positions();
}

void DeflateEncoder::State::forget_positions() {
  std::fill(heads.begin(), heads.end(), 0);
  position = stream_start = counted_from = kFirst;
}

DeflateEncoder::DeflateEncoder() : state_(std::make_unique<State>()) {}
DeflateEncoder::DeflateEncoder(DeflateEncoder&&) noexcept = default;
DeflateEncoder::~DeflateEncoder() = default;

void DeflateEncoder::write(Bytes bytes, std::string& out) {
  State& state = *state_;
  while (!bytes.empty()) {
    // A full block waits until more comes: it might have been the last.
    if (state.waiting == kBlock) state.encode_block(LastBlock::No, out);
    const std::size_t count = std::min<std::size_t>(bytes.size(), kBlock - state.waiting);
    std::memcpy(state.buffer.data() + state.history + state.waiting, bytes.data(), count);
    state.waiting += static_cast<std::uint32_t>(count);
    bytes = bytes.subspan(count);
  }
}

void DeflateEncoder::finish(std::string& out) {
  State& state = *state_;
  state.encode_block(LastBlock::Yes, out);
  state.history = 0;
  state.stream_start = state.counted_from = state.position;
  if (state.position >= kRestart) state.forget_positions();
}

}  // namespace slipway::layer
