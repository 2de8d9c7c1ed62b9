/// Layers that were just made go into the store, and are found there the next time.
#pragma once

#include <string>
#include <vector>

#include "layer/layout.h"
#include "layer/tar_layer.h"
#include "plan/build_image.h"
#include "plan/tools.h"
#include "store/store.h"

namespace slipway::plan {

/// As the image tells of it.
ImageLayer describe_layer(const layer::LayerFacts& facts, std::vector<std::string> labels);

/// For several threads.
class LayerKeeper {
 public:
  /// Borrows all.
  LayerKeeper(const store::Store& store, const BuildRequest& request, const Tools& tools)
      : store_(store), request_(request), tools_(tools) {}

  /// A layer whose tree was made in this store's folder, and whose blob or recipe it has.
  Result<ImageLayer> keep(const Digest& key, TemporaryFolder tree, const layer::LayerFacts& facts,
                          std::vector<std::string> labels) const;

  /// A layer of these entries, where it is not known by its key.
  Result<ImageLayer> make(const Digest& key, std::vector<layer::Entry> entries,
                          std::vector<std::string> labels, const CancelToken& cancel) const;

 private:
  const store::Store& store_;
  const BuildRequest& request_;
  const Tools& tools_;
};

}  // namespace slipway::plan
