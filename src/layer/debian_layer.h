/// The base layer: Debian packages, unpacked, configured and made the same on every machine.
///
/// The essential packages are unpacked first, so that there is a system to run maintainer scripts
/// in; then dpkg, the image's own, installs everything in a sandbox without network (deb-policy and
/// dpkg(1) promise that this works; debootstrap(8) does the same). What the scripts leave behind
/// that depends on the time, the machine or the order is then removed or rewritten: see
/// docs/decisions/0004-debian-base.md.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "base/reporter.h"
#include "layer/tar_layer.h"

namespace slipway::layer {

struct DebInput {
  std::string package;
  std::string path;  ///< of the .deb, already checked against `sha256`
  Digest sha256;
};

struct DebianLayerOptions {
  std::string scratch_folder;  ///< for what is needed only while building
  int python_major = 3;        ///< the stdlib of this interpreter gets bytecode; nothing happens
  int python_minor = 11;       ///< where the packages do not bring it
};

/// Builds the base into `tree_folder` (empty, and owned by the caller's namespace root) and writes
/// it as a layer into `blob`. The tree is what the layer says, owners and times included. Must run
/// as root, or as the root of a user namespace (base/user_namespace.h). Blocks, and starts
/// processes. The result depends on the packages' bytes alone. Fails with Corrupt for a broken
/// package, Io with the end of dpkg's output when a maintainer script fails; the tree is then of no
/// use.
Result<LayerFacts> build_debian_layer(std::span<const DebInput> debs,
                                      const DebianLayerOptions& options,
                                      const std::string& tree_folder, Sink& blob,
                                      Reporter& reporter, const CancelToken& cancel);

/// What the layer's bytes depend on besides the packages: a key for "this layer is known".
Digest debian_layer_key(std::span<const DebInput> debs, const DebianLayerOptions& options);

/// The packages that every image gets besides the essential ones: what PyTorch's wheels expect of a
/// system, a small init, and certificates. Sorted.
std::vector<std::string> always_included_debs(int python_major, int python_minor);

}  // namespace slipway::layer
