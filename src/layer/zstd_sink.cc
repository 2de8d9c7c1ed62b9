#include "layer/zstd_sink.h"

#include <zstd.h>

#include <vector>

namespace slipway::layer {
namespace {

constexpr int kLevel = 3;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

struct ZstdSink::State {
  std::vector<std::byte> buffer = std::vector<std::byte>(ZSTD_CStreamOutSize());
  std::unique_ptr<ZSTD_CCtx, FreeContext> context{ZSTD_createCCtx()};

  Result<void> feed(Bytes bytes, ZSTD_EndDirective directive, Sink& to) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context.get(), &out, &in, directive);
      if (ZSTD_isError(left) != 0) {
        return make_error(ErrorKind::Io, "cannot compress: {}", ZSTD_getErrorName(left));
      }
      TRY(to.write(Bytes(buffer).first(out.pos)));
      const bool is_over = directive == ZSTD_e_end ? left == 0 : in.pos == in.size;
      if (is_over) return {};
    }
  }
};

ZstdSink::ZstdSink(Sink& out) : out_(out), state_(std::make_unique<State>()) {
  ZSTD_CCtx_setParameter(state_->context.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(state_->context.get(), ZSTD_c_checksumFlag, 1);
}

ZstdSink::~ZstdSink() = default;

Result<void> ZstdSink::write(Bytes bytes) { return state_->feed(bytes, ZSTD_e_continue, out_); }

Result<void> ZstdSink::finish() { return write_frame({}); }

Result<void> ZstdSink::write_frame(Bytes bytes) { return state_->feed(bytes, ZSTD_e_end, out_); }

}  // namespace slipway::layer
