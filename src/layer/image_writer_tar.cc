#include "layer/image_writer_tar.h"

#include <array>
#include <cstring>

namespace slipway::layer {
namespace {

constexpr std::size_t kBlock = 512;
using Block = std::array<char, kBlock>;

/// `width` includes the NUL at the end.
void put_octal(Block& block, std::size_t at, std::size_t width, std::uint64_t value) {
  block[at + width - 1] = '\0';
  for (std::size_t i = width - 1; i-- > 0; value >>= 3) {
    block[at + i] = static_cast<char>('0' + (value & 7));
  }
}

void put_size(Block& block, std::uint64_t size) {
  constexpr std::size_t kAt = 124, kWidth = 12;
  if (size < std::uint64_t{1} << 33) return put_octal(block, kAt, kWidth, size);
  for (std::size_t i = kWidth; i-- > 1; size >>= 8) block[kAt + i] = static_cast<char>(size & 255);
  block[kAt] = static_cast<char>(0x80);
}

void put_text(Block& block, std::size_t at, std::string_view text) {
  std::memcpy(block.data() + at, text.data(), text.size());
}

}  // namespace

Result<void> ArchiveTar::write_header(std::string_view path, char type, unsigned mode,
                                      std::uint64_t size_bytes) {
  SLIPWAY_CHECK(!path.empty() && path.size() <= 100);
  Block block{};
  put_text(block, 0, path);
  put_octal(block, 100, 8, mode);
  put_octal(block, 108, 8, 0);
  put_octal(block, 116, 8, 0);
  put_size(block, size_bytes);
  put_octal(block, 136, 12, 0);
  block[156] = type;
  put_text(block, 257,
           std::string_view("ustar\0"
                            "00",
                            8));
  // The sum is taken with spaces in its own place.
  std::memset(block.data() + 148, ' ', 8);
  std::uint64_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put_octal(block, 148, 7, sum);
  return out_.write(std::as_bytes(std::span(block)));
}

Result<void> ArchiveTar::add_folder(std::string_view path) {
  return write_header(fmt::format("{}/", path), '5', 0755, 0);
}

Result<void> ArchiveTar::begin_file(std::string_view path, std::uint64_t size_bytes) {
  padding_bytes_ = (kBlock - size_bytes % kBlock) % kBlock;
  return write_header(path, '0', 0644, size_bytes);
}

Result<void> ArchiveTar::end_file() {
  static constexpr std::array<std::byte, kBlock> kZeros{};
  return out_.write(Bytes(kZeros).first(padding_bytes_));
}

Result<void> ArchiveTar::finish() {
  static constexpr std::array<std::byte, 2 * kBlock> kZeros{};
  return out_.write(kZeros);
}

}  // namespace slipway::layer
