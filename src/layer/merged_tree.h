/// Layers laid over each other once, for good: one folder in place of many.
///
/// A kernel that searches an overlay of seventy folders asks up to seventy times for each name, and
/// whoever starts a container looks at each of them. The merged tree shows what overlayfs would
/// show of the same folders (Documentation/filesystems/overlayfs.rst): whiteouts and opaque folders
/// hide what lies below and leave no trace. Files are hard links to those of the layers, so that
/// the tree takes the room of its folders alone.
#pragma once

#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"

namespace slipway::layer {

/// Fills `target`, an empty folder on the same file system. `layers`: top first. A file that cannot
/// be linked once more (EMLINK, or a file system without hard links) is copied. Owners, modes,
/// times and extended attributes are those of the topmost layer that has the name. Leaves `target`
/// half filled where it fails. Needs as many open files as layers, times the depth of the tree.
Result<void> merge_layers(const std::vector<std::string>& layers, const std::string& target,
                          const CancelToken& cancel);

/// The same for one layer that stays a layer: its whiteouts and opaque folders are there again.
Result<void> clone_layer(const std::string& layer, const std::string& target,
                         const CancelToken& cancel);

}  // namespace slipway::layer
