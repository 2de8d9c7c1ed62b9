#include "layer/blob_parts.h"

#include <isa-l/igzip_lib.h>

#include <algorithm>

namespace slipway::layer {
namespace {

constexpr std::string_view kMagic = "\x1f\x8b";

Error corrupt(std::string_view why) { return make_error(ErrorKind::Corrupt, "{}", why); }

}  // namespace

struct BlobParts::Gzip {
  inflate_state stream;
  std::size_t begin = 0, at = 0;  ///< of the member, and what was used, in the blob
};

BlobParts::BlobParts(Bytes blob) : blob_(blob) {
  if (as_text(blob).starts_with(kMagic)) {
    gzip_ = std::make_unique<Gzip>();
    return;
  }
  source_ = std::make_unique<BytesSource>(blob);
  other_ = std::make_unique<Decompressed>(*source_);
}

BlobParts::~BlobParts() = default;

Result<bool> BlobParts::next() {
  if (other_) return !std::exchange(is_over_, true);
  const Bytes rest = blob_.subspan(gzip_->at);
  if (!as_text(rest).starts_with(kMagic)) {
    // As other readers: zeros may stand behind the last member.
    if (std::ranges::any_of(rest, [](std::byte b) { return b != std::byte{0}; }))
      return corrupt("has other bytes behind its gzip data");
    return false;
  }
  gzip_->begin = gzip_->at;
  isal_inflate_init(&gzip_->stream);
  gzip_->stream.crc_flag = ISAL_GZIP;
  raw_ = {};
  return true;
}

Result<std::size_t> BlobParts::read(std::span<std::byte> buffer) {
  if (other_) return other_->read(buffer);
  inflate_state& stream = gzip_->stream;
  std::size_t made = 0;
  while (made == 0) {
    if (stream.block_state == ISAL_BLOCK_FINISH) {
      raw_ = blob_.subspan(gzip_->begin, gzip_->at - gzip_->begin);
      return std::size_t{0};
    }
    const Bytes rest = blob_.subspan(gzip_->at);
    const std::size_t given = std::min<std::size_t>(rest.size(), 1U << 30U);
    const std::size_t room = std::min<std::size_t>(buffer.size(), 1U << 30U);
    stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(rest.data()));
    stream.avail_in = static_cast<std::uint32_t>(given);
    stream.next_out = reinterpret_cast<std::uint8_t*>(buffer.data());
    stream.avail_out = static_cast<std::uint32_t>(room);
    const int result = isal_inflate(&stream);
    if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT)
      return corrupt("is damaged gzip data");
    made = room - stream.avail_out;
    gzip_->at += given - stream.avail_in;
    if (rest.empty() && made == 0 && stream.block_state != ISAL_BLOCK_FINISH)
      return corrupt("is cut short");
  }
  return made;
}

}  // namespace slipway::layer
