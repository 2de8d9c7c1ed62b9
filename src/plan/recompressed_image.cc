#include "plan/recompressed_image.h"

#include <fcntl.h>

#include "base/threads.h"
#include "layer/chunked_toc.h"
#include "layer/compress.h"
#include "layer/compress_chunked.h"
#include "layer/decompress.h"
#include "layer/stargz_toc.h"
#include "registry/blob_stream.h"

namespace slipway::plan {
namespace {

oci::LayerCompression compression_of(Packing packing) {
  if (packing == Packing::None) return oci::LayerCompression::None;
  return packing == Packing::Gzip ? oci::LayerCompression::Gzip : oci::LayerCompression::Zstd;
}

std::string_view media_type_of(Packing packing) {
  if (packing == Packing::None) return oci::kMediaTypeLayer;
  return packing == Packing::Gzip ? oci::kMediaTypeLayerGzip : oci::kMediaTypeLayerZstd;
}

bool is_packed(const oci::Descriptor& layer, Packing packing) {
  if (oci::layer_compression(layer.media_type) != compression_of(packing)) return false;
  if (packing != Packing::ZstdChunked) return true;
  return layer.annotations.contains(std::string(layer::kChunkedTocDigest)) &&
         layer.annotations.contains(std::string(layer::kChunkedTarSplitPosition));
}

/// What tells where things lay before: eStargz's, and zstd:chunked's, of which stargz-snapshotter
/// writes a name of its own.
bool is_of_place(const std::string& annotation) {
  return annotation == layer::kTocDigestAnnotation || annotation == layer::kTarBytesAnnotation ||
         annotation.starts_with(layer::kChunkedPrefix) ||
         annotation.starts_with("io.containers.zstd-chunked.");
}

struct PackedLayer {
  oci::Descriptor descriptor;
  std::string why_not_chunked;
};

Result<PackedLayer> pack(const oci::Descriptor& layer, const Digest& diff_id, Packing packing,
                         const std::string& file, const LayerBlobs& blobs,
                         const CancelToken& cancel) {
  const UniqueFd fd = TRY(open_file(file, O_WRONLY | O_CREAT | O_EXCL));
  FdSink out(fd.get());
  HashingSink hash(&out);
  registry::BlobStream packed([&](Sink& sink) { return blobs.write(layer, sink, cancel); }, 0);
  layer::Decompressed plain(packed);
  layer::HashingSource hashed(plain);
  layer::ChunkedLayer chunked;
  if (packing == Packing::ZstdChunked) {
    chunked = TRY(layer::compress_chunked(hashed, hash, cancel));
  } else {
    TRY(layer::compress(hashed, compression_of(packing), hash, cancel));
  }
  if (hashed.finish() != diff_id) {
    return make_error(ErrorKind::Corrupt, "layer `{}` is not the one that its image names",
                      layer.digest.text());
  }
  PackedLayer result{layer, std::move(chunked.why_not)};
  result.descriptor.media_type = media_type_of(packing);
  std::erase_if(result.descriptor.annotations,
                [](const auto& annotation) { return is_of_place(annotation.first); });
  result.descriptor.annotations.merge(chunked.annotations);
  result.descriptor.size_bytes = hash.size_bytes();
  result.descriptor.digest = hash.finish();
  return result;
}

}  // namespace

Result<Packing> parse_packing(const std::string& word) {
  if (word == "none") return Packing::None;
  if (word == "gzip") return Packing::Gzip;
  if (word == "zstd") return Packing::Zstd;
  if (word == "zstd:chunked") return Packing::ZstdChunked;
  return make_error(ErrorKind::InvalidInput, "`--compression {}` is not known", word)
      .hint("use `gzip`, `zstd`, `zstd:chunked` or `none`");
}

Result<RecompressedImage> recompress_image(const StoredImage& image, Packing packing,
                                           const store::Store& store, const LayerBlobs& blobs,
                                           const Tools& tools) {
  RecompressedImage result{{}, TRY(store.make_layer_folder()), {}};
  oci::Manifest manifest = image.manifest;
  std::vector<std::string> files(manifest.layers.size()), why_not(manifest.layers.size());
  const auto work = [&](std::size_t i, const CancelToken& cancel) -> Result<void> {
    oci::Descriptor& layer = manifest.layers[i];
    if (is_packed(layer, packing)) return {};
    const auto task = tools.reporter.start("compressing", layer.digest.hex().substr(0, 12), 0);
    files[i] = fmt::format("{}/{}", result.folder.path(), i);
    PackedLayer packed =
        TRY(pack(layer, image.config.diff_ids[i], packing, files[i], blobs, cancel));
    layer = std::move(packed.descriptor);
    why_not[i] = std::move(packed.why_not_chunked);
    tools.reporter.finish(task);
    return {};
  };
  TRY(for_each_parallel(files.size(), usable_cores(), tools.cancel, work));
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!files[i].empty()) result.files[manifest.layers[i].digest] = files[i];
    if (why_not[i].empty()) continue;
    tools.reporter.warn(fmt::format("layer `{}` {}, so it is plain zstd, without a table",
                                    image.manifest.layers[i].digest.text(), why_not[i]));
  }
  result.manifest =
      result.files.empty() ? TRY(store.read_blob(image.digest)) : oci::encode_manifest(manifest);
  return result;
}

Result<void> write_layer(const RecompressedImage& image, const oci::Descriptor& layer,
                         const LayerBlobs& blobs, Sink& out, const CancelToken& cancel) {
  const auto file = image.files.find(layer.digest);
  if (file == image.files.end()) return blobs.write(layer, out, cancel);
  const UniqueFd fd = TRY(open_file(file->second, O_RDONLY));
  FdSource source(fd.get());
  TRY(copy(source, out));
  return {};
}

}  // namespace slipway::plan
