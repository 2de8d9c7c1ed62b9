/// `slipway export`: what is in an image, without the image.
#pragma once

#include <string>

#include "oci/media_type.h"
#include "plan/stored_images.h"
#include "plan/tools.h"

namespace slipway::plan {

/// Writes the image's root file system as a tar (layer/tree_archive.h) to a file, by way of a
/// temporary sibling, or to standard output (`-`). Acts as root, or as that of a user namespace
/// (owners are the container's). Fails with InvalidInput where `path` is a folder, NotFound where a
/// layer is not in the store, Io.
Result<void> export_image(const StoredImage& image, oci::LayerCompression compression,
                          const std::string& path, const Tools& tools);

}  // namespace slipway::plan
