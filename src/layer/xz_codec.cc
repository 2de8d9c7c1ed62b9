#include <lzma.h>

#include "layer/codec.h"

namespace slipway::layer {
namespace {

/// `xz -9` takes a window of 64 MiB, and what stands beside it.
constexpr std::uint64_t kMostMemory = 160 << 20;

class XzCodec final : public Codec {
 public:
  explicit XzCodec(PackedInput input) : input_(std::move(input)) {
    begun_ = lzma_stream_decoder(&stream_, kMostMemory, LZMA_CONCATENATED);
  }
  ~XzCodec() override { lzma_end(&stream_); }

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    lzma_ret result = begun_;
    stream_.next_out = reinterpret_cast<std::uint8_t*>(buffer.data());
    stream_.avail_out = buffer.size();
    while (result == LZMA_OK && stream_.avail_out == buffer.size() && !buffer.empty()) {
      const Bytes bytes = TRY(input_.peek(1));
      stream_.next_in = reinterpret_cast<const std::uint8_t*>(bytes.data());
      stream_.avail_in = bytes.size();
      result = lzma_code(&stream_, bytes.empty() ? LZMA_FINISH : LZMA_RUN);
      input_.take(bytes.size() - stream_.avail_in);
    }
    if (result != LZMA_OK && result != LZMA_STREAM_END) return failure(result);
    return buffer.size() - stream_.avail_out;
  }

 private:
  static Error failure(lzma_ret result) {
    if (result == LZMA_MEMLIMIT_ERROR) {
      return make_error(ErrorKind::Unsupported, "is xz data that takes more than {} MiB to unpack",
                        kMostMemory >> 20U);
    }
    if (result == LZMA_BUF_ERROR) return corrupt("is cut short");
    return corrupt("is damaged xz data");
  }

  PackedInput input_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  lzma_ret begun_;
};

}  // namespace

std::unique_ptr<Codec> make_xz_codec(PackedInput input) {
  return std::make_unique<XzCodec>(std::move(input));
}

}  // namespace slipway::layer
