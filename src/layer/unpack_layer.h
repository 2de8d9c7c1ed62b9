/// A foreign layer's blob as a tree that overlay mounts.
#pragma once

#include <cstdint>
#include <string>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "layer/tree_unpacker.h"

namespace slipway::layer {

struct Unpacked {
  Digest diff_id;  ///< of the tar, to its last byte
  std::uint64_t tar_bytes = 0;
  LeftOut left_out;
};

/// Unpacks a tar, plain or compressed (decompress.h), into `folder`, which is empty. Large files
/// whose contents are `kept` take them over: those must lie on the file system of the folder. The
/// caller compares the diff_id before anything uses the tree, and removes the folder after a
/// failure.
///
/// Needs uid 0, the machine's or that of a user namespace, in which the marks are the user's.
/// Blocks; one thread inflates and hashes, two more hash and write large files. Memory stays
/// small. Failures as tar_stream.h, decompress.h and tree_unpacker.h have
/// them, their messages the end of a sentence about the layer ("is cut short"); Cancelled.
Result<Unpacked> unpack_layer(Source& blob, const std::string& folder, OverlayMarks marks,
                              Owners owners, const CancelToken& cancel, FindKept kept = {});

}  // namespace slipway::layer
