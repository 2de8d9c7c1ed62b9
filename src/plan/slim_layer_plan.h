/// What `slipway slim` would change of one layer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpu/library_scan.h"
#include "plan/slim_plan.h"

namespace slipway::plan {

struct PlannedLayer {
  LayerPlan plan;
  std::vector<std::string> notes;
  std::vector<SlimPackage> packages;
};

/// `facts` become those of the slim layer. Of the tree at `tree` only packages' METADATA and
/// RECORD, and libraries with GPU code are read.
Result<PlannedLayer> plan_layer(const SlimRequest& request, const std::string& tree,
                                std::size_t index, gpu::LayerLibraries& facts);

/// Of a regular file of a tree, no link on the way; nothing where there is none.
std::optional<std::uint64_t> tree_file_size(const std::string& tree, const std::string& path);

/// Where a row of the RECORD in this dist-info folder leads: an absolute path in the image.
std::optional<std::string> record_path(const std::string& dist_info, const std::string& row);

}  // namespace slipway::plan
