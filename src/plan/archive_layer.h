/// The facts of a layer's tar, read as a stream.
#pragma once

#include <string>

#include "gpu/library_scan.h"
#include "plan/tools.h"

namespace slipway::plan {

/// `scratch` is a folder for one library at a time. Whiteouts (`.wh.NAME`, image-spec layer.md) are
/// what the layer removes. Fails as layer/tar_reader.h says.
Result<gpu::LayerLibraries> scan_layer_tar(const std::string& file, const std::string& scratch,
                                           const Tools& tools);

}  // namespace slipway::plan
