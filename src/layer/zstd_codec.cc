#include <zstd.h>

#include "layer/codec.h"

namespace slipway::layer {
namespace {

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class ZstdCodec final : public Codec {
 public:
  explicit ZstdCodec(PackedInput input) : input_(std::move(input)) {}

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (out.pos == 0 && out.size > 0) {
      const Bytes bytes = TRY(input_.peek(1));
      if (bytes.empty() && is_between_) break;
      ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
      const std::size_t hint = ZSTD_decompressStream(context_.get(), &out, &in);
      if (ZSTD_isError(hint) != 0) {
        return corrupt(fmt::format("is damaged zstd data: {}", ZSTD_getErrorName(hint)));
      }
      is_between_ = hint == 0;
      input_.take(in.pos);
      if (bytes.empty() && out.pos == 0) return corrupt("is cut short");
    }
    return out.pos;
  }

 private:
  PackedInput input_;
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_{ZSTD_createDCtx()};
  bool is_between_ = false;  ///< at the end of a frame
};

}  // namespace

std::unique_ptr<Codec> make_zstd_codec(PackedInput input) {
  return std::make_unique<ZstdCodec>(std::move(input));
}

}  // namespace slipway::layer
