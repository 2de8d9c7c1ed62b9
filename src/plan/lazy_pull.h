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

/// Why an image cannot be pulled lazily by this user on this machine; nothing where it can.
std::optional<std::string> find_lazy_obstacle();

struct LazyIncoming {
  IncomingImage image;
  std::size_t lazy_layers = 0;   ///< whose contents come later
  std::uint64_t lazy_bytes = 0;  ///< of their blobs
  std::size_t fetched_layers = 0;
  std::uint64_t fetched_bytes = 0;  ///< until now
  std::size_t signatures = 0;
};

/// Brings manifest, configuration and the tables of contents, of which each must have the digest
/// that the manifest names; layers without one (or of a registry that ignores ranges) whole. Then
/// starts a process of its own that serves the image's tree and brings the rest
/// (lazy_server.h), and names the image in the store. To be called as root, by one thread. Fails as
/// fetch_image does.
Result<LazyIncoming> pull_lazily(const ImagePlace& place, registry::Trust trust,
                                 const std::optional<Digest>& digest, const Tools& tools);

}  // namespace slipway::plan
