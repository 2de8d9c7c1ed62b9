/// `slipway save`: an image as files that other tools read.
#pragma once

#include <optional>
#include <string>

#include "plan/recompressed_image.h"
#include "plan/stored_images.h"
#include "plan/tools.h"

namespace slipway::plan {

enum class SaveFormat { OciLayout, DockerArchive };

/// Writes a folder (OCI layout only, where `path` ends in `/` or is one), a tar file, or standard
/// output (`-`). Wheel layers are spliced again from the cached wheels; those that are gone from
/// the cache are downloaded again. Every blob is checked against its digest on the way out. With a
/// `packing`, layers that have another one are compressed anew, into the store's tmp/ first: an
/// archive tells their sizes before their bytes.
Result<void> save_image(const StoredImage& image, SaveFormat format, std::optional<Packing> packing,
                        const std::string& path, const Tools& tools);

}  // namespace slipway::plan
