/// Writes an image to a folder or an archive that other tools read.
///
/// OCI layout (image-layout.md of image-spec 1.1), folder or tar: the manifest's bytes stay, so its
/// digest does. The tar carries Docker's manifest.json as well, over the same blobs, so `docker
/// load` takes it even where it knows nothing of OCI. A Docker archive has only that: config digest
/// and diff_ids stay. Layers stay as compressed as they are: every reader inflates gzip.
///
/// Same image, same bytes: fixed order, fixed times. Every blob's digest and size are checked while
/// it goes by. Streams: no layer is ever whole in memory.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/error.h"
#include "base/io.h"
#include "oci/manifest.h"
#include "store/image_name.h"

namespace slipway::layer {

enum class ImageFormat { OciFolder, OciArchive, DockerArchive };

struct ImageBytes {
  std::string manifest;  ///< as it is in the store
  std::string config;    ///< of the digest that the manifest names
  store::ImageName name;
};

/// Writes the bytes of one of the manifest's layers, all of them, in order. Several threads call it
/// where a folder is written, each with a sink of its own.
using WriteLayerBlob = std::function<Result<void>(const oci::Descriptor& layer, Sink& out)>;

/// Writes to `path` by way of a temporary sibling: nothing appears there before it is whole, and
/// nothing stays after a failure. A file there is replaced; a folder is replaced only where it is
/// empty or an OCI layout itself, else the call fails with InvalidInput. Blobs that such a layout
/// has already are not written again, and stay the same files: those that this function wrote, by
/// their size and time, others once they were read and checked.
Result<void> save_image(const ImageBytes& image, ImageFormat format, const std::string& path,
                        const WriteLayerBlob& write_layer, const CancelToken& cancel);

/// The archive formats into a stream, for `-`. OciFolder is a bug of the caller.
Result<void> write_image(const ImageBytes& image, ImageFormat format, Sink& out,
                         const WriteLayerBlob& write_layer, const CancelToken& cancel);

}  // namespace slipway::layer
