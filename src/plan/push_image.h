/// `slipway push`: an image of the store to a registry.
#pragma once

#include <cstdint>
#include <optional>

#include "plan/recompressed_image.h"
#include "plan/registries.h"
#include "plan/stored_images.h"
#include "plan/tools.h"

namespace slipway::plan {

struct PushedImage {
  store::ImageName name;
  Digest digest;  ///< there; with a packing, another one than in the store
  std::size_t layers = 0, sent = 0, mounted = 0;  ///< the rest was there
  std::uint64_t sent_bytes = 0;                   ///< of layers and configuration
  bool was_there = false;                         ///< under this very name: no image was sent
  std::size_t signatures = 0;                     ///< of the store, all of which are there now
  std::size_t read_orders = 0;                    ///< likewise (read_order.h)
};

/// Sends what the registry lacks, several layers at a time; those of wheels are spliced while they
/// are sent and touch no disk. The manifest goes last, so that a push that is stopped leaves no
/// broken image, and the next one goes on with what is still missing, in the middle of a large
/// layer too (registry/upload.h; `uploads/` in the cache); after it the image's signatures and read
/// orders. With a `packing`, layers that have another one are compressed anew first, into the
/// store's tmp/; that is another manifest, so what is of the store's stays here. Blocks. Fails as
/// registry/registry.h has it; NotFound where a layer cannot be had any more.
Result<PushedImage> push_image(const StoredImage& image, const ImagePlace& place,
                               std::optional<Packing> packing, const Tools& tools);

}  // namespace slipway::plan
