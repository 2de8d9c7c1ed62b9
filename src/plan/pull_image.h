/// `slipway pull`: an image of a registry into the store.
#pragma once

#include <optional>

#include "base/digest.h"
#include "plan/incoming_image.h"
#include "plan/registries.h"
#include "plan/tools.h"

namespace slipway::plan {

/// Brings in manifest, configuration and the layers that are missing, several at a time; of an
/// index the image for linux/amd64. Where `digest` is given it decides, and the image's tag is
/// `sha256-<digest>`. Its signatures come along. What had arrived when a pull was stopped is taken
/// up by the next one. Blocks. Fails as registry/registry.h and make_incoming have it.
Result<Incoming> fetch_image(const ImagePlace& place, const std::optional<Digest>& digest,
                             const Tools& tools);

}  // namespace slipway::plan
