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

struct RecompressedImage {
  std::string manifest;
  TemporaryFolder folder;               ///< holds the layers that were compressed anew
  std::map<Digest, std::string> files;  ///< those, by their new digests
  /// Of the others, which are as they were: the layer in `blobs` by the same digest.
};

/// Compresses, several at a time, the layers that are not yet as asked. `blobs` is prepared for all
/// of the image. Takes as much disk as these layers do. Fails with Corrupt where a layer is not the
/// one that the configuration names.
Result<RecompressedImage> recompress_image(const StoredImage& image,
                                           oci::LayerCompression compression,
                                           const store::Store& store, const LayerBlobs& blobs,
                                           const Tools& tools);

}  // namespace slipway::plan
