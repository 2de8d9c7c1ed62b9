/// `slipway pull`: an image of a registry into the store.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/digest.h"
#include "plan/incoming_image.h"
#include "plan/registries.h"
#include "plan/tools.h"
#include "registry/registry.h"

namespace slipway::plan {

/// Whether layers larger than kMostKeptBlob stay as blobs beside their trees.
enum class LargeBlobs { Dropped, Kept };

/// Brings in manifest, configuration and the layers that are missing, several at a time; of an
/// index the image for linux/amd64. As root each layer is unpacked as soon as it is there
/// (unpack_incoming finds it done); others have to enter a namespace first. Where `digest` is given
/// it decides, and the image's tag is `sha256-<digest>`. Its signatures come along. What had
/// arrived when a pull was stopped is taken up by the next one. Blocks. Fails as
/// registry/registry.h and make_incoming have it.
Result<Incoming> fetch_image(const ImagePlace& place, const std::optional<Digest>& digest,
                             LargeBlobs large, const Tools& tools);

/// The first steps of it, for a pull that takes its layers otherwise: manifest and configuration.
Result<IncomingImage> fetch_image_head(const ImagePlace& place, const std::optional<Digest>& digest,
                                       const store::Store& store, registry::Registry& registry,
                                       const Tools& tools);
/// What a pull does with its layers on the way. Called from several threads.
struct LayerSteps {
  std::function<bool(std::size_t layer)> is_wanted;
  std::function<Result<void>(std::size_t layer, const Tools& tools)> on_fetched;
};
struct FetchedLayers {
  std::size_t count = 0;
  std::uint64_t bytes = 0;  ///< that came from the registry
};
/// Those of its layers that the store has neither as trees nor as blobs, and that are wanted. Of
/// one that another of the store's layers has most of, only the rest is fetched (pieced_layer.h).
/// They become blobs of the store, but for large ones of an image with `arrivals`.
Result<FetchedLayers> fetch_image_layers(const ImagePlace& place, const IncomingImage& image,
                                         const store::Store& store, registry::Registry& registry,
                                         const Tools& tools, const LayerSteps& steps);
/// How many came along.
Result<std::size_t> fetch_its_signatures(const ImagePlace& place, const Digest& image,
                                         const store::Store& store, registry::Registry& registry,
                                         const Tools& tools);

}  // namespace slipway::plan
