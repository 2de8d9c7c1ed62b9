/// A folder as layer entries.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "layer/tar_layer.h"

namespace slipway::layer {

/// Everything below `folder`: owners, modes, links, and hard links among the files. Contents stay
/// where they are. Fails with Unsupported for a device, socket or pipe: a layer has none.
Result<std::vector<Entry>> read_tree_entries(const std::string& folder);

}  // namespace slipway::layer
