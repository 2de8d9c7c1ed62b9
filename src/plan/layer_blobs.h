/// The blobs of an image's layers, on their way out: kept ones as they are, others spliced again
/// from the wheels in the cache.
#pragma once

#include <map>
#include <span>

#include "base/cancel.h"
#include "base/io.h"
#include "oci/manifest.h"
#include "plan/layer_recipe.h"
#include "plan/tools.h"
#include "store/store.h"

namespace slipway::plan {

class LayerBlobs {
 public:
  /// Borrows both.
  LayerBlobs(const store::Store& store, const Tools& tools) : store_(store), tools_(tools) {}

  /// Reads the recipes of these layers, and brings the wheels that they need back into the cache.
  /// `reference` is for messages. Fails with NotFound where a layer cannot be had any more, or as
  /// fetch_artifacts does.
  Result<void> prepare(const std::string& reference, std::span<const oci::Descriptor> layers);

  /// Writes a layer that was prepared. Safe for several threads, each with its own sink. The bytes
  /// are the caller's to check: a wheel in the cache may have been changed.
  Result<void> write(const oci::Descriptor& layer, Sink& out, const CancelToken& cancel) const;

 private:
  const store::Store& store_;
  const Tools& tools_;
  std::map<Digest, LayerRecipe> recipes_;
};

}  // namespace slipway::plan
