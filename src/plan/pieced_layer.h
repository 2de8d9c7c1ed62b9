/// A layer of a registry, put together from a layer that the store has and the pieces that differ.
///
/// After a change of one package the layer that it shares with others is a new blob, which but for
/// that package's files is the old one (lazy/shared_pieces.h). So a pull takes little more than the
/// package, where a whole group of them has a new digest.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "oci/manifest.h"
#include "plan/tools.h"
#include "registry/registry.h"
#include "store/store.h"

namespace slipway::plan {

/// Layers in the store that have a table of contents, by the names of their packages.
class KindredLayers {
 public:
  /// Of all images in the store.
  static Result<KindredLayers> find(const store::Store& store, const Tools& tools);

  /// The one that has most packages of the names that this one has; nothing where none has any.
  std::optional<oci::Descriptor> kin_of(const oci::Descriptor& layer) const;

 private:
  std::vector<oci::Descriptor> layers_;
  std::map<std::string, std::set<std::size_t>> by_name_;
};

/// Writes the blob to `path` out of `kin`'s and of ranges of its own, and returns how many bytes
/// came from the registry. Nothing, and no file, where that would not save much or does not work
/// out (no ranges, another encoder, a table that tells something else): then it is to be fetched as
/// a whole. The bytes have the layer's digest. Blocks. Fails with Cancelled, or what the disk says.
Result<std::optional<std::uint64_t>> fetch_in_pieces(
    registry::Registry& registry, const std::string& repository, const oci::Descriptor& layer,
    const oci::Descriptor& kin, const store::Store& store, const std::string& path,
    Reporter& reporter, const CancelToken& cancel);

}  // namespace slipway::plan
