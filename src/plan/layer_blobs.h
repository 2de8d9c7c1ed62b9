/// The blobs of an image's layers, on their way out: kept ones as they are, others spliced again
/// from the wheels in the cache, or fetched from where they came (and kept from then on).
#pragma once

#include <map>
#include <memory>
#include <span>

#include "base/cancel.h"
#include "base/io.h"
#include "oci/manifest.h"
#include "plan/layer_recipe.h"
#include "plan/tools.h"
#include "registry/registry.h"
#include "store/store.h"

namespace slipway::plan {

class LayerBlobs {
 public:
  /// Borrows both.
  LayerBlobs(const store::Store& store, const Tools& tools) : store_(store), tools_(tools) {}

  /// Reads the recipes of these layers, brings the wheels that they need back into the cache, and
  /// looks up the logins of registries that are needed (plan/registries.h says where). `reference`
  /// is for messages. Fails with NotFound where a layer cannot be had any more, or as
  /// fetch_artifacts and find_place do.
  Result<void> prepare(const std::string& reference, std::span<const oci::Descriptor> layers);
  /// Fetches those that were prepared and are at a registry, several at a time. Without it each is
  /// fetched when it is written. Fails as Registry::fetch_blob.
  Result<void> bring_back() const;

  /// Writes a layer that was prepared. Safe for several threads, each with its own sink. The bytes
  /// are the caller's to check: a wheel in the cache may have been changed.
  Result<void> write(const oci::Descriptor& layer, Sink& out, const CancelToken& cancel) const;

 private:
  struct Away;
  Result<std::shared_ptr<Away>> find_away(const BlobOrigin& origin);
  Result<void> fetch(const oci::Descriptor& layer, const Away& away,
                     const CancelToken& cancel) const;

  const store::Store& store_;
  const Tools& tools_;
  std::string reference_;
  std::map<Digest, LayerRecipe> recipes_;
  std::map<BlobOrigin, std::shared_ptr<Away>> origins_;
  std::map<Digest, std::pair<oci::Descriptor, std::shared_ptr<Away>>> away_;
};

}  // namespace slipway::plan
