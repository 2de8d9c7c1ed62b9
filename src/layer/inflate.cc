#include "layer/inflate.h"

#include <isa-l/crc.h>
#include <isa-l/crc64.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>

#include <algorithm>

namespace slipway::layer {
namespace {

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};

Error not_deflate() { return make_error(ErrorKind::Corrupt, "is not valid deflate data"); }
Error other_size() {
  return make_error(ErrorKind::Corrupt, "does not unpack to just the size it claims");
}
Error other_end() {
  return make_error(ErrorKind::Corrupt, "does not end where its compressed size says");
}

/// ISA-L's newest code for checksums leaves the upper halves of the wide registers in use, which
/// makes each instruction on their lower halves wait for the one before: SHA-256 then takes 1.4
/// times as long, of two streams at once 2.4 times.
bool has_wide_registers() {
  static const bool has = __builtin_cpu_supports("avx") != 0;
  return has;
}

}  // namespace

struct Inflater::State {
  std::unique_ptr<libdeflate_decompressor, FreeDecompressor> whole{libdeflate_alloc_decompressor()};
  inflate_state stream;
  std::uint64_t compressed_left = 0, size_left = 0;
};

Inflater::Inflater() : state_(std::make_unique<State>()) { isal_inflate_init(&state_->stream); }
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater::~Inflater() = default;

Result<void> Inflater::inflate_whole(Bytes in, std::span<std::byte> out) {
  std::size_t taken = 0, made = 0;
  const libdeflate_result result = libdeflate_deflate_decompress_ex(
      state_->whole.get(), in.data(), in.size(), out.data(), out.size(), &taken, &made);
  if (result == LIBDEFLATE_INSUFFICIENT_SPACE) return other_size();
  if (result != LIBDEFLATE_SUCCESS) return not_deflate();
  if (made != out.size()) return other_size();
  if (taken != in.size()) return other_end();
  return {};
}

void Inflater::start(std::uint64_t compressed_bytes, std::uint64_t size_bytes) {
  isal_inflate_reset(&state_->stream);
  state_->stream.crc_flag = ISAL_DEFLATE;
  state_->stream.avail_in = 0;
  state_->compressed_left = compressed_bytes;
  state_->size_left = size_bytes;
}

Result<std::size_t> Inflater::inflate(Bytes& in, std::span<std::byte> out) {
  inflate_state& stream = state_->stream;
  if (stream.block_state == ISAL_BLOCK_FINISH) {
    if (!in.empty()) return other_end();
    return std::size_t{0};
  }
  std::uint8_t beyond = 0;  // room for one byte too many, so that a stream that is longer shows
  const std::size_t room = std::min<std::uint64_t>(out.size(), state_->size_left);
  const std::size_t given = std::min<std::size_t>(in.size(), 1u << 30);
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(in.data()));
  stream.avail_in = static_cast<std::uint32_t>(given);
  stream.next_out = room > 0 ? reinterpret_cast<std::uint8_t*>(out.data()) : &beyond;
  stream.avail_out = static_cast<std::uint32_t>(std::max<std::size_t>(room, 1));
  const std::uint32_t offered = stream.avail_out;
  const int result = isal_inflate(&stream);
  if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT) return not_deflate();
  const std::size_t made = offered - stream.avail_out;
  const std::size_t taken = given - stream.avail_in;
  in = in.subspan(taken);
  state_->compressed_left -= std::min<std::uint64_t>(state_->compressed_left, taken);
  if (made > room) return other_size();
  state_->size_left -= made;
  return made;
}

Result<void> Inflater::finish() {
  const inflate_state& stream = state_->stream;
  if (stream.block_state != ISAL_BLOCK_FINISH) {
    return state_->size_left == 0 ? other_end() : other_size();
  }
  if (state_->size_left != 0) return other_size();
  // The decoder reads ahead by whole bytes into its bit buffer.
  if (state_->compressed_left != 0 || stream.avail_in != 0 || stream.read_in_length >= 8) {
    return other_end();
  }
  return {};
}

std::uint32_t crc32(std::uint32_t crc, Bytes bytes) {
  crc = crc32_gzip_refl(crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  if (has_wide_registers()) __asm__ volatile("vzeroupper");
  return crc;
}

std::uint64_t crc64(std::uint64_t crc, Bytes bytes) {
  crc = crc64_iso_refl(crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  if (has_wide_registers()) __asm__ volatile("vzeroupper");
  return crc;
}

}  // namespace slipway::layer
