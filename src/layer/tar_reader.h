/// Reading a tar file front to back, whatever compresses it: layers and archives of other tools.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/cancel.h"
#include "base/error.h"
#include "base/io.h"

namespace slipway::layer {

struct TarItem {
  enum class Kind { File, HardLink, Link, Folder, Other };
  Kind kind = Kind::Other;
  std::string path;    ///< `usr/lib/x`: no empty, `.` or `..` part
  std::string target;  ///< of links: as it stands; of hard links as `path`
  std::uint64_t size_bytes = 0;
};

/// Gets each entry with its contents, of which it may read as much as it likes.
using TarVisitor = std::function<Result<void>(const TarItem& item, Source& contents)>;

/// Fails with Corrupt (not a tar, cut short, a path with `..`), NotFound, Io, Cancelled, or as
/// `visit` does. Memory stays small; the time is that of decompressing.
Result<void> read_tar_file(const std::string& file, const CancelToken& cancel,
                           const TarVisitor& visit);

}  // namespace slipway::layer
