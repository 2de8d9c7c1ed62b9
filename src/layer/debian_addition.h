/// Debian packages on top of an image that others made: one more layer, of what installing them
/// changes.
///
/// The image's own dpkg unpacks and configures them in a sandbox, under an overlay over the image's
/// unpacked layers, which do not change. What is then another than in the image becomes the layer,
/// without what depends on the machine or the hour (debian_changes.h): docs/decisions/0025.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "base/reporter.h"
#include "layer/compare_trees.h"
#include "layer/debian_layer.h"

namespace slipway::layer {

struct AdditionOptions {
  std::vector<TreeLayer> base;  ///< the image's layers, bottom first, each folder once
  std::string scratch_folder;   ///< on a file system that takes an overlay's upper folder
  /// "/usr/bin/python3.11": compiles what the packages bring for it. Empty: nothing is compiled.
  std::string interpreter;
};

/// Writes the layer into `blob`. Must run as root, or as the root of a user namespace. Blocks, and
/// starts processes. The result depends on the base's bytes and the packages' alone. Fails with
/// Corrupt for a broken package, Unsupported where the base has no dpkg or this kernel's overlays
/// keep something back (redirects, metacopy), Io with the end of dpkg's output.
Result<LayerFacts> build_debian_addition(std::span<const DebInput> debs,
                                         const AdditionOptions& options, Sink& blob,
                                         Reporter& reporter, const CancelToken& cancel);

/// What the layer's bytes depend on: a key for "this layer is known".
Digest debian_addition_key(std::span<const DebInput> debs, std::span<const Digest> base_diff_ids,
                           const std::string& interpreter);

}  // namespace slipway::layer
