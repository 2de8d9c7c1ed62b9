/// Images that other tools made, as files: an OCI layout (a folder, or a tar of one), or what
/// `docker save` writes. Their layers are read as they stream out of the decompressor; nothing is
/// unpacked but one library at a time.
#pragma once

#include <string>

#include "plan/check_environment.h"

namespace slipway::plan {

/// Whether the path is meant as such a file or folder.
bool is_image_archive(const std::string& path);

/// Every blob's digest is checked; facts are remembered by it. Of an image for several platforms
/// linux/amd64 is read. Fails with Corrupt, NotFound, Unsupported (no image for linux/amd64, or
/// more than one), Io, Cancelled.
Result<CheckedEnvironment> read_archive_environment(const std::string& path, const Tools& tools);

}  // namespace slipway::plan
