#include "layer/decompress.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>
#include <vector>

namespace slipway::layer {
namespace {

constexpr std::size_t kInputBytes = 1 << 18;

Error corrupt(std::string_view why) { return make_error(ErrorKind::Corrupt, "{}", why); }

/// What was read of the packed bytes and not yet used.
class Input {
 public:
  explicit Input(Source& from) : from_(from), buffer_(kInputBytes) {}

  /// At least `wanted` bytes, unless they end before.
  Result<Bytes> peek(std::size_t wanted) {
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
  void take(std::size_t count) { begin_ += count; }

 private:
  Source& from_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0, end_ = 0;
};

bool begins_with(Bytes bytes, std::string_view magic) { return as_text(bytes).starts_with(magic); }

bool is_zstd(Bytes bytes) {
  if (begins_with(bytes, "\x28\xb5\x2f\xfd")) return true;
  // A frame to be skipped: 0x184D2A50 to 0x184D2A5F, little-endian.
  return bytes.size() >= 4 && (static_cast<unsigned>(bytes[0]) & 0xf0U) == 0x50U &&
         as_text(bytes).substr(1, 3) == "\x2a\x4d\x18";
}

}  // namespace

class Decompressed::Codec {
 public:
  explicit Codec(Source& packed) : input(packed) {}
  virtual ~Codec() = default;
  virtual Result<std::size_t> read(std::span<std::byte> buffer) {
    const Bytes bytes = TRY(input.peek(1));
    const std::size_t count = std::min(bytes.size(), buffer.size());
    std::copy_n(bytes.begin(), count, buffer.begin());
    input.take(count);
    return count;
  }
  Input input;
};

namespace {

class GzipCodec final : public Decompressed::Codec {
 public:
  explicit GzipCodec(Decompressed::Codec&& begun) : Codec(std::move(begun)) {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
  }

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    std::size_t made = 0;
    while (made == 0 && !is_over_) {
      if (state_.block_state == ISAL_BLOCK_FINISH && !TRY(next_member())) break;
      made = TRY(inflate(buffer));
    }
    return made;
  }

 private:
  Result<std::size_t> inflate(std::span<std::byte> buffer) {
    const Bytes bytes = TRY(input.peek(1));
    const std::size_t room = std::min<std::size_t>(buffer.size(), 1U << 30U);
    state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(bytes.data()));
    state_.avail_in = static_cast<std::uint32_t>(bytes.size());
    state_.next_out = reinterpret_cast<std::uint8_t*>(buffer.data());
    state_.avail_out = static_cast<std::uint32_t>(room);
    const int result = isal_inflate(&state_);
    if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT)
      return corrupt("is damaged gzip data");
    const std::size_t made = room - state_.avail_out;
    input.take(bytes.size() - state_.avail_in);
    if (bytes.empty() && made == 0 && state_.block_state != ISAL_BLOCK_FINISH) {
      return corrupt("is cut short");
    }
    return made;
  }

  /// False at the end, behind which zeros may stand (tapes, block devices).
  Result<bool> next_member() {
    const Bytes bytes = TRY(input.peek(2));
    if (begins_with(bytes, "\x1f\x8b")) {
      isal_inflate_reset(&state_);
      state_.crc_flag = ISAL_GZIP;
      return true;
    }
    is_over_ = true;
    for (Bytes rest = bytes; !rest.empty(); rest = TRY(input.peek(1))) {
      if (std::ranges::any_of(rest, [](std::byte b) { return b != std::byte{0}; })) {
        return corrupt("has other bytes behind its gzip data");
      }
      input.take(rest.size());
    }
    return false;
  }

  inflate_state state_;
  bool is_over_ = false;
};

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class ZstdCodec final : public Decompressed::Codec {
 public:
  explicit ZstdCodec(Decompressed::Codec&& begun) : Codec(std::move(begun)) {}

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (out.pos == 0 && out.size > 0) {
      const Bytes bytes = TRY(input.peek(1));
      if (bytes.empty() && is_between_) break;
      ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
      const std::size_t hint = ZSTD_decompressStream(context_.get(), &out, &in);
      if (ZSTD_isError(hint) != 0) {
        return corrupt(fmt::format("is damaged zstd data: {}", ZSTD_getErrorName(hint)));
      }
      is_between_ = hint == 0;
      input.take(in.pos);
      if (bytes.empty() && out.pos == 0) return corrupt("is cut short");
    }
    return out.pos;
  }

 private:
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_{ZSTD_createDCtx()};
  bool is_between_ = false;  ///< at the end of a frame
};

}  // namespace

Decompressed::Decompressed(Source& packed) : packed_(packed) {}
Decompressed::~Decompressed() = default;

Result<void> Decompressed::start() {
  Codec plain(packed_);
  const Bytes bytes = TRY(plain.input.peek(6));
  if (begins_with(bytes,
                  "\xfd"
                  "7zXZ") ||
      begins_with(bytes, "BZh")) {
    return make_error(ErrorKind::Unsupported, "is compressed by {}, which is not read here",
                      begins_with(bytes, "BZh") ? "bzip2" : "xz")
        .hint("unpack it first");
  }
  if (begins_with(bytes, "\x1f\x8b")) {
    codec_ = std::make_unique<GzipCodec>(std::move(plain));
  } else if (is_zstd(bytes)) {
    codec_ = std::make_unique<ZstdCodec>(std::move(plain));
  } else {
    codec_ = std::make_unique<Codec>(std::move(plain));
  }
  return {};
}

Result<std::size_t> Decompressed::read(std::span<std::byte> buffer) {
  if (!codec_) TRY(start());
  return codec_->read(buffer);
}

Result<std::size_t> HashingSource::read(std::span<std::byte> buffer) {
  const std::size_t got = TRY(next_.read(buffer));
  hash_.update(Bytes(buffer).first(got));
  size_bytes_ += got;
  return got;
}

}  // namespace slipway::layer
