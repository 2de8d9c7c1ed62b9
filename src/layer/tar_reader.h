/// Reading a tar file front to back, whatever compresses it: layers and archives of other tools.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/cancel.h"
#include "base/error.h"
#include "base/io.h"
#include "layer/tar_item.h"

namespace slipway::layer {

/// Gets each entry with its contents, of which it may read as much as it likes.
using TarVisitor = std::function<Result<void>(const TarItem& item, Source& contents)>;

/// Fails with Corrupt (not a tar, cut short, a path with `..`), NotFound, Io, Cancelled, or as
/// `visit` does. Memory stays small; the time is that of decompressing.
Result<void> read_tar_file(const std::string& file, const CancelToken& cancel,
                           const TarVisitor& visit);

}  // namespace slipway::layer
