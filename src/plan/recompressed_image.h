/// An image whose layers are compressed in another way: another manifest over the same
/// configuration.
#pragma once

#include <map>
#include <string>

#include "base/file.h"
#include "oci/manifest.h"
#include "plan/layer_blobs.h"
#include "plan/stored_images.h"
#include "plan/tools.h"

namespace slipway::plan {

enum class Packing { None, Gzip, Zstd, ZstdChunked };

/// `none`, `gzip`, `zstd`, `zstd:chunked`. Fails with InvalidInput.
Result<Packing> parse_packing(const std::string& word);

struct RecompressedImage {
  std::string manifest;
  TemporaryFolder folder;               ///< holds the layers that were compressed anew
  std::map<Digest, std::string> files;  ///< those, by their new digests
  /// Of the others, which are as they were: the layer in `blobs` by the same digest.
};

/// Compresses, several at a time, the layers that are not yet as asked. `blobs` is prepared for all
/// of the image. Takes as much disk as these layers do. A layer that zstd:chunked cannot tell of is
/// packed as plain zstd, with a warning. Fails with Corrupt where a layer is not the one that the
/// configuration names.
Result<RecompressedImage> recompress_image(const StoredImage& image, Packing packing,
                                           const store::Store& store, const LayerBlobs& blobs,
                                           const Tools& tools);

/// Writes a layer of the image as it now is: one that was packed anew, else the one in `blobs`.
Result<void> write_layer(const RecompressedImage& image, const oci::Descriptor& layer,
                         const LayerBlobs& blobs, Sink& out, const CancelToken& cancel);

}  // namespace slipway::plan
