/// An image as the folders that a start mounts.
#pragma once

#include <vector>

#include "plan/image_files.h"
#include "plan/tools.h"

namespace slipway::plan {

/// One folder, the image's layers merged (layer/merged_tree.h), kept in the store under their
/// ChainID; the first start of an image makes it. Where that cannot be done, a warning says why and
/// the layers themselves are returned, top first; where the image comes lazily and is not whole,
/// the tree that is served (lazy_tree.h). NotFound where a layer is not there. To be called under
/// a lease.
Result<std::vector<LayerFolder>> find_image_tree(const StoredImage& image,
                                                 const store::Store& store, const Tools& tools);

/// Makes that folder of an image all of whose layers are there, unless the store has it.
Result<void> merge_image_tree(const StoredImage& image, const store::Store& store,
                              const Tools& tools);

}  // namespace slipway::plan
