/// Unpacking and configuring Debian packages in a folder.
#pragma once

#include <span>
#include <string>

#include "base/cancel.h"
#include "base/error.h"
#include "layer/debian_layer.h"

namespace slipway::layer {

/// Installs the packages into the empty `tree_folder`: essential ones and what they need unpacked
/// by us, then by dpkg, in two runs. As build_debian_layer.
Result<void> install_debs(std::span<const DebInput> debs, const std::string& tree_folder,
                          const CancelToken& cancel);

}  // namespace slipway::layer
