/// `slipway load`: images out of archives, of any tool.
///
/// An OCI layout (image-layout.md of image-spec 1.1) or what `docker save` and `podman save` write,
/// as a folder, as a tar (plain, gzip or zstd), or on standard input. A stream is read once, its
/// blobs going straight into the store. The manifest's bytes stay, so its digest does; a Docker
/// archive has none, and gets one: the same for the same archive, with the configuration as it is.
#pragma once

#include <optional>
#include <string>

#include "plan/incoming_image.h"
#include "plan/tools.h"

namespace slipway::plan {

/// `path` may be `-`. Images go by `name` where it is given (then there may be only one), else by
/// the names in the archive, else by the file's own.
///
/// Fails with Corrupt (bytes that are not what their names say, a blob that is missing, an archive
/// cut short), Unsupported (no image for this machine in it), NotFound, InvalidInput, Io.
Result<Incoming> read_archive(const std::string& path, const std::optional<store::ImageName>& name,
                              const Tools& tools);

}  // namespace slipway::plan
