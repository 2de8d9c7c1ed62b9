#include "layer/compress.h"

#include <zstd.h>

#include <memory>
#include <vector>

#include "layer/gzip_writer.h"

namespace slipway::layer {
namespace {

constexpr int kZstdLevel = 3;
constexpr std::size_t kBufferBytes = 1 << 18;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

class ZstdSink final : public Sink {
 public:
  explicit ZstdSink(Sink& out) : out_(out), buffer_(ZSTD_CStreamOutSize()) {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kZstdLevel);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }
  Result<void> write(Bytes bytes) override { return feed(bytes, ZSTD_e_continue); }
  Result<void> finish() { return feed({}, ZSTD_e_end); }

 private:
  Result<void> feed(Bytes bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
      if (ZSTD_isError(left) != 0) {
        return make_error(ErrorKind::Io, "cannot compress: {}", ZSTD_getErrorName(left));
      }
      TRY(out_.write(Bytes(buffer_).first(out.pos)));
      const bool is_over = directive == ZSTD_e_end ? left == 0 : in.pos == in.size;
      if (is_over) return {};
    }
  }

  Sink& out_;
  std::vector<std::byte> buffer_;
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_{ZSTD_createCCtx()};
};

class GzipSink final : public Sink {
 public:
  explicit GzipSink(Sink& out) : counted_(&out), writer_(counted_) {}
  Result<void> write(Bytes bytes) override { return writer_.encode(bytes); }
  Result<void> finish() { return writer_.finish(); }

 private:
  HashingSink counted_;
  GzipWriter writer_;
};

Result<void> copy_plain(Source& plain, Sink& out, const CancelToken& cancel) {
  std::vector<std::byte> buffer(kBufferBytes);
  while (const std::size_t got = TRY(plain.read(buffer))) {
    TRY(cancel.check());
    TRY(out.write(Bytes(buffer).first(got)));
  }
  return {};
}

template <typename Packer>
Result<void> pack(Source& plain, Sink& out, const CancelToken& cancel) {
  Packer packer(out);
  TRY(copy_plain(plain, packer, cancel));
  return packer.finish();
}

}  // namespace

Result<void> compress(Source& plain, oci::LayerCompression compression, Sink& out,
                      const CancelToken& cancel) {
  switch (compression) {
    case oci::LayerCompression::None:
      return copy_plain(plain, out, cancel);
    case oci::LayerCompression::Gzip:
      return pack<GzipSink>(plain, out, cancel);
    case oci::LayerCompression::Zstd:
      return pack<ZstdSink>(plain, out, cancel);
    case oci::LayerCompression::Unknown:
      break;
  }
  SLIPWAY_CHECK(false);
  return {};
}

}  // namespace slipway::layer
