/// `slipway sbom`: the bill of materials of an image, from what is in it.
///
/// Packages, licences and dependencies are what the dist-info folders, dpkg's status and Debian's
/// copyright files say; whoever made the image. Of images that this store built, the sha256 of each
/// wheel and Debian package comes from the lock, or from the layers' recipes.
#pragma once

#include <string>

#include "plan/stored_images.h"
#include "plan/tools.h"
#include "sbom/bom.h"

namespace slipway::plan {

/// `project_lock`: the text of a slipway.lock at hand, which counts only where the image's label
/// names it; may be empty. Fails with NotFound where a layer is not unpacked any more, as
/// read_layer_facts does, or Cancelled.
Result<sbom::Bom> make_sbom(const StoredImage& image, const std::string& project_lock,
                            const Tools& tools);

}  // namespace slipway::plan
