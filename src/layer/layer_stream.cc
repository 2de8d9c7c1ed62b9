#include "layer/layer_stream.h"

#include <array>

namespace slipway::layer {
namespace {

constexpr std::array<std::byte, kTarEndBytes> kZeros{};

}  // namespace

Result<void> LayerStream::encode(Bytes plain) {
  if (hash_tar_) tar_.update(plain);
  return gzip_.encode(plain);
}

Result<void> LayerStream::header(const TarEntry& entry) {
  // The padding joins the header after it: a copied stream then costs one small gzip member.
  std::string text(padding_, '\0');
  text += make_tar_header(entry);
  padding_ = tar_padding(entry.size_bytes);
  unpacked_bytes_ += entry.size_bytes;
  return encode(as_bytes(text));
}

Result<void> LayerStream::contents(Bytes plain) { return encode(plain); }

Result<LayerFacts> LayerStream::finish() {
  TRY(encode(Bytes(kZeros).first(padding_)));
  TRY(encode(kZeros));
  TRY(gzip_.finish());
  LayerFacts facts;
  facts.size_bytes = blob_.size_bytes();
  facts.digest = blob_.finish();
  facts.diff_id = tar_.finish();
  facts.unpacked_bytes = unpacked_bytes_;
  return facts;
}

}  // namespace slipway::layer
