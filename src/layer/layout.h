/// What every layer has in common. See docs/formats/layer.md.
#pragma once

#include <cstdint>
#include <optional>

#include "base/digest.h"

namespace slipway::layer {

/// Rises with any change of the bytes that the same wheels, debs or files give. Part of every key
/// under which facts about layers are kept.
inline constexpr int kLayoutVersion = 5;

/// 1980-01-01T00:00:00Z, the time of every tar entry and unpacked file: the earliest that zip's
/// DOS times can say, so that `zip` inside an image works.
inline constexpr std::int64_t kLayerTime = 315532800;

/// What an image's manifest and config say about a layer.
struct LayerFacts {
  Digest digest;   ///< of the gzip blob
  Digest diff_id;  ///< of the tar inside
  std::uint64_t size_bytes = 0;
  std::uint64_t unpacked_bytes = 0;  ///< of the files' contents, without tar headers and padding
  std::uint64_t tar_bytes = 0;
  std::optional<Digest> toc;  ///< of the table of contents, where the layer has one

  bool operator==(const LayerFacts&) const = default;
};

}  // namespace slipway::layer
