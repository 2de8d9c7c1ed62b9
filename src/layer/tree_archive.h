/// A folder as one tar, for tools that take a root file system and know nothing of images.
#pragma once

#include <string>

#include "base/cancel.h"
#include "base/error.h"
#include "base/io.h"

namespace slipway::layer {

/// Writes all that is in `folder`, sorted by path, as a pax tar (POSIX.1-2017): owners, modes,
/// times, links, hard links within the folder, devices, extended attributes and ACLs. The folder
/// itself is no entry. The same folder gives the same bytes. Blocks; memory stays small. Fails with
/// Io.
Result<void> write_tree_archive(const std::string& folder, Sink& out, const CancelToken& cancel);

}  // namespace slipway::layer
