/// The files of an image's archive, whatever holds them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "oci/manifest.h"
#include "plan/tools.h"
#include "store/store.h"

namespace slipway::plan {

/// Small files are kept as text; large ones end up as blobs of the store. Paths are as the archive
/// has them, without `.` and `..`.
class ImageArchive {
 public:
  virtual ~ImageArchive() = default;
  /// Nothing where it is not there. Corrupt where it is larger than a manifest or a configuration.
  virtual Result<std::optional<std::string>> find_text(const std::string& path) = 0;
  /// The digest of the file, which is a blob of the store afterwards. NotFound.
  virtual Result<oci::Descriptor> take_blob(const std::string& path) = 0;
};

/// Opens a folder, a tar, or standard input (`-`), which is read to its end here. Files below
/// `blobs/sha256/` are checked against their names. The lease is the caller's.
Result<std::unique_ptr<ImageArchive>> open_image_archive(const std::string& path,
                                                         const store::Store& store,
                                                         const Tools& tools);

}  // namespace slipway::plan
