/// The lock that an image was built from, without the digests that a build adds to it
/// (spec::write_solution). Its digest is a label of the image; the text is a blob of the store that
/// built it, and lies in captured images themselves. Neither is needed to run.
#pragma once

#include <optional>
#include <string>

#include "oci/image_config.h"
#include "plan/image_files.h"
#include "spec/lock.h"
#include "store/store.h"

namespace slipway::plan {

/// Where `slipway capture` puts it.
inline constexpr const char* kCapturedLockPath = "/usr/share/slipway/captured.lock";

/// What garbage collection keeps with the image.
std::optional<Digest> find_lock_digest(const oci::ImageConfig& config);

Result<void> keep_lock(const store::Store& store, const std::string& text);

/// The lock whose digest the image names: of the store, of the image's files, or `project_lock`
/// (may be empty) if it is that one. Nothing where it is nowhere, or of another schema.
std::optional<spec::Lock> find_image_lock(const oci::ImageConfig& config, const ImageFiles& files,
                                          const store::Store& store,
                                          const std::string& project_lock);

}  // namespace slipway::plan
