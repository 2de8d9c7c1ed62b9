#include "layer/compress.h"

#include <vector>

#include "layer/gzip_writer.h"
#include "layer/zstd_sink.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kBufferBytes = 1 << 18;

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
