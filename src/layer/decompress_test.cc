#include "layer/decompress.h"

#include <bzlib.h>
#include <doctest/doctest.h>
#include <lzma.h>

#include <algorithm>
#include <random>

#include "layer/testing/tar_maker.h"

using namespace slipway;
using namespace slipway::layer;
using testing::gzip;
using testing::zstd;

namespace {

std::string xz(std::string_view plain) {
  std::string packed(lzma_stream_buffer_bound(plain.size()), '\0');
  std::size_t size = 0;
  REQUIRE(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr,
                                  reinterpret_cast<const std::uint8_t*>(plain.data()), plain.size(),
                                  reinterpret_cast<std::uint8_t*>(packed.data()), &size,
                                  packed.size()) == LZMA_OK);
  packed.resize(size);
  return packed;
}

std::string bzip2(std::string_view plain) {
  std::string packed(plain.size() + plain.size() / 100 + 600, '\0');
  auto size = static_cast<unsigned>(packed.size());
  std::string copy(plain);
  REQUIRE(BZ2_bzBuffToBuffCompress(packed.data(), &size, copy.data(),
                                   static_cast<unsigned>(copy.size()), 1, 0, 0) == BZ_OK);
  packed.resize(size);
  return packed;
}

/// Gives few bytes at a time, as a network does.
class Trickle final : public Source {
 public:
  explicit Trickle(const std::string& text) : text_(text) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min({buffer.size(), text_.size() - at_, std::size_t{7}});
    std::copy_n(as_bytes(text_).begin() + static_cast<std::ptrdiff_t>(at_), count, buffer.begin());
    at_ += count;
    return count;
  }

 private:
  const std::string& text_;
  std::size_t at_ = 0;
};

Result<std::string> plain_of(const std::string& packed, std::size_t buffer_bytes = 1000) {
  Trickle source(packed);
  Decompressed plain(source);
  std::string text;
  std::vector<std::byte> buffer(buffer_bytes);
  for (;;) {
    const std::size_t got = TRY(plain.read(buffer));
    if (got == 0) break;
    text += as_text(Bytes(buffer).first(got));
  }
  const auto again = plain.read(buffer);  // the end stays the end
  REQUIRE((again.ok() && *again == 0));
  return text;
}

/// Half of it can be compressed.
std::string sample() {
  std::mt19937 dice(1);
  std::string text;
  while (text.size() < 300'000) {
    text += static_cast<char>(dice());
    text += "aaaa"[text.size() % 4];
  }
  return text;
}

const struct {
  const char* name;
  std::string (*pack)(std::string_view);
} kKinds[] = {{"gzip", gzip}, {"zstd", zstd}, {"xz", xz}, {"bzip2", bzip2}};

}  // namespace

TEST_CASE("decompress: every kind is told by its bytes, and may have several streams") {
  const std::string text = sample();
  CHECK(plain_of(text).value() == text);
  CHECK(plain_of("").value().empty());
  for (const auto& [name, pack] : kKinds) {
    CAPTURE(name);
    CHECK(plain_of(pack(text)).value() == text);
    CHECK(plain_of(pack(text), 1 << 20).value() == text);
    CHECK(plain_of(pack("")).value().empty());
    CHECK(plain_of(pack("a") + pack("") + pack(text) + pack("b")).value() == "a" + text + "b");
  }
}

TEST_CASE("decompress: what is cut or damaged is never whole") {
  const std::string text = "some text, " + sample().substr(0, 2000);
  for (const auto& [name, pack] : kKinds) {
    CAPTURE(name);
    const std::string packed = pack(text);
    for (std::size_t size = 12; size < packed.size(); size += 17) {
      CAPTURE(size);
      const auto cut = plain_of(packed.substr(0, size));
      REQUIRE_FALSE(cut.ok());
      CHECK(cut.error().kind == ErrorKind::Corrupt);
      CHECK(cut.error().message == "is cut short");
    }
    for (std::size_t at = 20; at < packed.size(); at += 29) {
      CAPTURE(at);
      std::string damaged = packed;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
      const auto read = plain_of(damaged);
      // zstd's own checksum is off where a program does not ask for it: a digest finds that out.
      if (read.ok()) CHECK((std::string_view(name) == "zstd" && *read != text));
    }
    const auto behind = plain_of(packed + "noise that is long enough for every kind");
    CHECK_FALSE(behind.ok());
  }
}

TEST_CASE("decompress: an xz that asks for much memory gets none") {
  lzma_options_lzma options{};
  REQUIRE(lzma_lzma_preset(&options, 6) == 0);
  options.dict_size = 512U << 20;
  lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  // Not encoded with such a window, for that takes gigabytes: the header of one that was.
  std::string packed = xz("small");
  lzma_block block{};
  block.version = 1;
  block.check = LZMA_CHECK_CRC64;
  block.compressed_size = LZMA_VLI_UNKNOWN;
  block.uncompressed_size = LZMA_VLI_UNKNOWN;
  block.filters = filters;
  REQUIRE(lzma_block_header_size(&block) == LZMA_OK);
  std::string header(block.header_size, '\0');
  REQUIRE(lzma_block_header_encode(&block, reinterpret_cast<std::uint8_t*>(header.data())) ==
          LZMA_OK);
  packed = packed.substr(0, LZMA_STREAM_HEADER_SIZE) + header + std::string(100, '\0');
  const auto read = plain_of(packed);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().kind == ErrorKind::Unsupported);
}
