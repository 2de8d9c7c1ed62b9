/// A layer that is already unpacked, told like one that is not.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "lazy/entry.h"

namespace slipway::lazy {

/// What is in a layer's tree, as layer/tree_unpacker.h leaves it: folders before what is in them,
/// overlay's marks as whiteouts again. Reads attributes that only root sees.
Result<std::vector<Entry>> list_folder_entries(const std::string& folder);

}  // namespace slipway::lazy
