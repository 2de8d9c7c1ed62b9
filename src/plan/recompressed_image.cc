#include "plan/recompressed_image.h"

#include <fcntl.h>

#include "base/threads.h"
#include "layer/compress.h"
#include "layer/decompress.h"
#include "layer/stargz_toc.h"
#include "registry/blob_stream.h"

namespace slipway::plan {
namespace {

std::string media_type_of(oci::LayerCompression compression) {
  if (compression == oci::LayerCompression::None) return std::string(oci::kMediaTypeLayer);
  if (compression == oci::LayerCompression::Zstd) return std::string(oci::kMediaTypeLayerZstd);
  return std::string(oci::kMediaTypeLayerGzip);
}

/// Writes to `file`; gives the layer's new descriptor.
Result<oci::Descriptor> pack(const oci::Descriptor& layer, const Digest& diff_id,
                             oci::LayerCompression compression, const std::string& file,
                             const LayerBlobs& blobs, const CancelToken& cancel) {
  const UniqueFd fd = TRY(open_file(file, O_WRONLY | O_CREAT | O_EXCL));
  FdSink out(fd.get());
  HashingSink hash(&out);
  registry::BlobStream packed([&](Sink& sink) { return blobs.write(layer, sink, cancel); }, 0);
  layer::Decompressed plain(packed);
  layer::HashingSource hashed(plain);
  TRY(layer::compress(hashed, compression, hash, cancel));
  if (hashed.finish() != diff_id) {
    return make_error(ErrorKind::Corrupt, "layer `{}` is not the one that its image names",
                      layer.digest.text());
  }
  oci::Descriptor packed_layer = layer;
  packed_layer.media_type = media_type_of(compression);
  // The table in the tar tells where things lay before.
  packed_layer.annotations.erase(std::string(layer::kTocDigestAnnotation));
  packed_layer.annotations.erase(std::string(layer::kTarBytesAnnotation));
  packed_layer.size_bytes = hash.size_bytes();
  packed_layer.digest = hash.finish();
  return packed_layer;
}

}  // namespace

Result<RecompressedImage> recompress_image(const StoredImage& image,
                                           oci::LayerCompression compression,
                                           const store::Store& store, const LayerBlobs& blobs,
                                           const Tools& tools) {
  RecompressedImage result{{}, TRY(store.make_layer_folder()), {}};
  oci::Manifest manifest = image.manifest;
  std::vector<std::string> files(manifest.layers.size());
  const auto work = [&](std::size_t i, const CancelToken& cancel) -> Result<void> {
    oci::Descriptor& layer = manifest.layers[i];
    if (oci::layer_compression(layer.media_type) == compression) return {};
    const auto task = tools.reporter.start("compressing", layer.digest.hex().substr(0, 12), 0);
    files[i] = fmt::format("{}/{}", result.folder.path(), i);
    layer = TRY(pack(layer, image.config.diff_ids[i], compression, files[i], blobs, cancel));
    tools.reporter.finish(task);
    return {};
  };
  TRY(for_each_parallel(files.size(), usable_cores(), tools.cancel, work));
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!files[i].empty()) result.files[manifest.layers[i].digest] = files[i];
  }
  result.manifest = oci::encode_manifest(manifest);
  return result;
}

}  // namespace slipway::plan
