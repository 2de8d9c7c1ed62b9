#include "layer/decompress.h"

#include <algorithm>

#include "layer/codec.h"

namespace slipway::layer {
namespace {

bool begins_with(Bytes bytes, std::string_view magic) { return as_text(bytes).starts_with(magic); }

bool is_zstd(Bytes bytes) {
  if (begins_with(bytes, "\x28\xb5\x2f\xfd")) return true;
  // A frame to be skipped: 0x184D2A50 to 0x184D2A5F, little-endian.
  return bytes.size() >= 4 && (static_cast<unsigned>(bytes[0]) & 0xf0U) == 0x50U &&
         as_text(bytes).substr(1, 3) == "\x2a\x4d\x18";
}

/// `BZh`, the size of its blocks, and the first block's or the end's sign: a tar may begin with a
/// file whose name begins so.
bool is_bzip2(Bytes bytes) {
  return begins_with(bytes, "BZh") && bytes.size() >= 10 &&
         (as_text(bytes).substr(4, 6) == "\x31\x41\x59\x26\x53\x59" ||
          as_text(bytes).substr(4, 6) == "\x17\x72\x45\x38\x50\x90");
}

/// What is not compressed.
class PlainCodec final : public Codec {
 public:
  explicit PlainCodec(PackedInput input) : input_(std::move(input)) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const Bytes bytes = TRY(input_.peek(1));
    const std::size_t count = std::min(bytes.size(), buffer.size());
    std::copy_n(bytes.begin(), count, buffer.begin());
    input_.take(count);
    return count;
  }

 private:
  PackedInput input_;
};

std::unique_ptr<Codec> make_plain_codec(PackedInput input) {
  return std::make_unique<PlainCodec>(std::move(input));
}

}  // namespace

Result<Bytes> PackedInput::peek(std::size_t wanted) {
  if (end_ - begin_ < wanted && begin_ > 0) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  while (end_ - begin_ < wanted) {
    const std::size_t got = TRY(from_.read(std::span(buffer_).subspan(end_)));
    if (got == 0) break;
    end_ += got;
  }
  return Bytes(buffer_).subspan(begin_, end_ - begin_);
}

Decompressed::Decompressed(Source& packed) : packed_(packed) {}
Decompressed::~Decompressed() = default;

Result<void> Decompressed::start() {
  constexpr std::size_t kLongestMagic = 10;
  PackedInput input(packed_);
  const Bytes bytes = TRY(input.peek(kLongestMagic));
  auto* make = make_plain_codec;
  if (begins_with(bytes, "\x1f\x8b")) make = make_gzip_codec;
  if (is_zstd(bytes)) make = make_zstd_codec;
  if (is_bzip2(bytes)) make = make_bzip2_codec;
  if (begins_with(bytes, std::string_view("\xfd\x37zXZ\0", 6))) make = make_xz_codec;
  codec_ = make(std::move(input));
  return {};
}

Result<std::size_t> Decompressed::read(std::span<std::byte> buffer) {
  if (!codec_) TRY(start());
  return codec_->read(buffer);
}

Result<std::size_t> HashingSource::read(std::span<std::byte> buffer) {
  const std::size_t got = TRY(next_.read(buffer));
  const auto left = static_cast<std::size_t>(std::min<std::uint64_t>(unhashed_bytes_, got));
  unhashed_bytes_ -= left;
  hash_.update(Bytes(buffer).first(got).subspan(left));
  size_bytes_ += got;
  return got;
}

}  // namespace slipway::layer
