/// `slipway slim`: a second image, of what the first one's GPUs need.
///
/// Layers in which nothing changes are the first image's, by the same digests; each other layer is
/// replaced by one with the same files in the same order. The same image, GPUs and rules give the
/// same digest on every machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/slim_plan.h"

namespace slipway::plan {

struct SlimLayer {
  std::size_t index = 0;
  std::uint64_t before_bytes = 0, after_bytes = 0;  ///< of the blob
};

struct SlimImage {
  Digest digest;                                    ///< of the manifest
  std::vector<SlimLayer> layers;                    ///< those that changed
  std::uint64_t before_bytes = 0, after_bytes = 0;  ///< of all blobs
  std::vector<std::string> notes;                   ///< files that are left alone: `path: why`
};

/// Brings what the changed layers are made from. To be called as the caller, before a user
/// namespace is entered. Fails as LayerBlobs::prepare.
Result<void> fetch_for_slim(const StoredImage& image, const SlimPlan& plan, const Tools& tools);

/// Writes the layers and names the image. Needs uid 0, the machine's or a user namespace's. Fails
/// with Corrupt where a layer is not the one that the image names; what failed leaves nothing.
Result<SlimImage> make_slim_image(const StoredImage& image, const SlimRequest& request,
                                  const SlimPlan& plan, const store::ImageName& name,
                                  const Tools& tools);

}  // namespace slipway::plan
