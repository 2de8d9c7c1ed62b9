/// Layers go to a registry while the image that they are of is still being built.
///
/// Two processes: the one that builds enters a user namespace, where it would be a stranger to the
/// caller's logins and caches; the one that sends stays the caller. Between them lies a pipe, a
/// line for each layer. Nothing can be seen in the registry before the manifest, which goes last
/// and only where the build succeeded: push_image sends it, and what went wrong here.
#pragma once

#include <cstdint>
#include <optional>

#include "base/unique_fd.h"
#include "plan/build_image.h"
#include "plan/registries.h"
#include "plan/tools.h"

namespace slipway::plan {

/// The builder's end. For several threads. Nobody need listen any more.
class LayerNews {
 public:
  explicit LayerNews(UniqueFd pipe) : pipe_(std::move(pipe)) {}
  void tell(const ImageLayer& layer) const;
  void tell_built(const Digest& manifest) const;

 private:
  void write(const std::string& line) const;
  UniqueFd pipe_;
};

struct SentAhead {
  std::size_t sent = 0, mounted = 0;
  std::uint64_t sent_bytes = 0;
  std::optional<Digest> built;  ///< the manifest; nothing where the build came to no end
};

/// Asks whether a registry is there at all. Blocks. Fails as Registry::open.
Result<void> check_registry(const ImagePlace& place, const Tools& tools);

/// Sends each layer that the builder tells of, where the registry lacks it; several at a time.
/// Silent, until the builder has closed its end. Then returns once these layers are there. After
/// the first failure it sends no more: push_image will meet it again. Blocks. Fails with Cancelled,
/// and as Registry::open.
Result<SentAhead> push_layers_ahead(int news, const ImagePlace& place, const Tools& tools);

}  // namespace slipway::plan
