#include "layer/deflate_encoder.h"

#include <doctest/doctest.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>

#include <array>
#include <random>
#include <vector>

#include "base/digest.h"
#include "layer/huffman_code.h"

using namespace slipway;
using namespace slipway::layer;

namespace {

std::string encode(DeflateEncoder& encoder, std::string_view text, std::size_t piece = SIZE_MAX) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += std::min(piece, text.size() - i)) {
    encoder.write(as_bytes(text.substr(i, piece)), out);
  }
  encoder.finish(out);
  return out;
}

std::string encode(std::string_view text) {
  DeflateEncoder encoder;
  return encode(encoder, text);
}

/// What libdeflate reads, or "bad"; it must take all of the stream.
std::string decode(const std::string& stream, std::size_t size) {
  std::string text(size, '\0');
  libdeflate_decompressor* decompressor = libdeflate_alloc_decompressor();
  std::size_t taken = 0;
  const auto result = libdeflate_deflate_decompress_ex(decompressor, stream.data(), stream.size(),
                                                       text.data(), text.size(), &taken, nullptr);
  libdeflate_free_decompressor(decompressor);
  return result == LIBDEFLATE_SUCCESS && taken == stream.size() ? text : "bad";
}

std::string decode_by_isal(std::string stream, std::size_t size) {
  std::string text(size + 1, '\0');
  auto state = std::make_unique<inflate_state>();
  isal_inflate_init(state.get());
  state->next_in = reinterpret_cast<std::uint8_t*>(stream.data());
  state->avail_in = static_cast<std::uint32_t>(stream.size());
  state->next_out = reinterpret_cast<std::uint8_t*>(text.data());
  state->avail_out = static_cast<std::uint32_t>(text.size());
  if (isal_inflate(state.get()) != ISAL_DECOMP_OK) return "bad";
  if (state->block_state != ISAL_BLOCK_FINISH) return "unfinished";
  text.resize(state->total_out);
  return text;
}

/// Bytes of which `spread` differ, with repeats of what came before.
std::string noise(unsigned seed, std::size_t size, unsigned spread, unsigned repeats) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) {
    if (text.size() > 10 && random() % 100 < repeats) {
      const std::size_t far = 1 + random() % std::min<std::size_t>(text.size(), 40000);
      const std::size_t length = 3 + random() % 400;
      for (std::size_t i = 0; i < length; ++i) text.push_back(text[text.size() - far]);
    } else {
      text.push_back(static_cast<char>(random() % spread));
    }
  }
  text.resize(size);
  return text;
}

}  // namespace

TEST_CASE("what was encoded is decoded by libdeflate and by ISA-L") {
  struct Case {
    const char* name;
    std::string text;
  };
  std::string fibonacci;  // frequencies that make a tree too deep for deflate
  for (unsigned a = 1, b = 1, i = 0; i < 24; ++i, std::swap(a, b), b += a) {
    fibonacci.append(a, static_cast<char>('a' + i));
  }
  const Case cases[] = {
      {"empty", ""},
      {"one byte", "x"},
      {"three bytes", "abc"},
      {"a run", std::string(100000, 'z')},
      {"exactly a block", noise(1, 65535, 256, 0)},
      {"a block and a byte", noise(2, 65536, 20, 20)},
      {"incompressible", noise(3, 300000, 256, 0)},
      {"text-like", noise(4, 500000, 60, 30)},
      {"two symbols", noise(5, 200000, 2, 0)},
      {"far repeats", noise(6, 400000, 256, 60)},
      {"deep tree", fibonacci},
      {"longest distance", noise(7, 32768, 256, 0) + noise(7, 32768, 256, 0)},
      {"beyond the window", noise(8, 32769, 256, 0) + noise(8, 32769, 256, 0)},
  };
  DeflateEncoder used;
  for (const Case& c : cases) {
    INFO(c.name);
    const std::string stream = encode(c.text);
    CHECK(decode(stream, c.text.size()) == c.text);
    CHECK(decode_by_isal(stream, c.text.size()) == c.text);
    CHECK(stream.size() <= c.text.size() + 5 * (c.text.size() / 65535 + 1));
    // Neither the cuts nor the past change the bytes.
    CHECK(encode(used, c.text) == stream);
    CHECK(encode(used, c.text, 1000) == stream);
  }
  CHECK(encode(std::string(100000, 'z')).size() < 500);
  CHECK(encode(noise(7, 32768, 256, 0) + noise(7, 32768, 256, 0)).size() < 36000);
}

TEST_CASE("many short streams from one encoder") {
  DeflateEncoder encoder;
  for (unsigned i = 0; i < 3000; ++i) {
    const std::string text = noise(i, i % 700, 1 + i % 256, i % 50);
    const std::string stream = encode(encoder, text);
    REQUIRE(decode(stream, text.size()) == text);
    if (i % 100 == 0) REQUIRE(stream == encode(text));
  }
}

TEST_CASE("the bytes of layout 1") {
  // A change here changes every layer: raise kLayoutVersion with it.
  std::string all;
  for (unsigned i = 0; i < 40; ++i) all += encode(noise(i, 5000 * i, 1 + i * 6, i));
  CHECK(sha256(all).hex() == "cae651c2395eb612951c7285f87dd7a9c1d9284a017c1c984274b928001d34f5");
}

TEST_CASE("Huffman codes are complete and within the limit") {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::array<std::uint32_t, 288> frequencies{};
    const std::size_t count = 2 + random() % 286;
    for (std::size_t i = 0; i < count; ++i) {
      frequencies[i] =
          random() % 3 == 0 ? 0 : 1u << random() % (1 + static_cast<unsigned>(round) % 31);
    }
    const unsigned limit = count > 100 ? 15 : 7 + static_cast<unsigned>(random() % 9);
    std::array<std::uint8_t, 288> lengths{};
    make_code_lengths(std::span(frequencies).first(count), limit, std::span(lengths).first(count));
    std::uint64_t used = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (frequencies[i] > 0) CHECK(lengths[i] > 0);
      REQUIRE(lengths[i] <= limit);
      if (lengths[i] > 0) used += 1ULL << (limit - lengths[i]);
    }
    CHECK(used == 1ULL << limit);
  }
}
