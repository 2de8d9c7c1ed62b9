/// `slipway pull --lazy`: an image that can be run before its layers are there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/digest.h"
#include "plan/incoming_image.h"
#include "plan/registries.h"
#include "plan/tools.h"

namespace slipway::plan {

/// Why an image cannot be pulled lazily by this user on this machine; nothing where it can. By one
/// thread.
std::optional<Error> find_lazy_obstacle();

struct LazyIncoming {
  Incoming incoming;             ///< with what was fetched until now
  std::size_t lazy_layers = 0;   ///< whose contents come later
  std::uint64_t lazy_bytes = 0;  ///< of their blobs
};

/// Brings manifest, configuration and the tables of contents, of which each must have the digest
/// that the manifest names; layers without one (or of a registry that ignores ranges) whole. Then
/// starts a process of its own that serves the image's tree and brings the rest
/// (lazy_server.h), and names the image in the store; where no layer comes later, unpack_incoming
/// is left to do. As root or as a user outside a namespace, by one thread. Fails as fetch_image
/// does.
Result<LazyIncoming> pull_lazily(const ImagePlace& place, registry::Trust trust,
                                 const std::optional<Digest>& digest, const Tools& tools);

}  // namespace slipway::plan
