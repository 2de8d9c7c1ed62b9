/// Plain bytes as a layer's blob.
#pragma once

#include "base/cancel.h"
#include "base/error.h"
#include "base/io.h"
#include "oci/media_type.h"

namespace slipway::layer {

/// Writes `plain` to `out`, compressed as asked; Unknown is a bug of the caller. gzip comes from
/// our own encoder; what zstd gives depends on the library. Blocks; memory stays small. Fails as
/// either of the two does.
Result<void> compress(Source& plain, oci::LayerCompression compression, Sink& out,
                      const CancelToken& cancel);

}  // namespace slipway::layer
