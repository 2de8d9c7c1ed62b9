/// What `update-ldcache` of a CDI file would do: libraries that a device brings, by the names that
/// programs ask for.
#pragma once

#include "plan/image_files.h"
#include "run/container.h"

namespace slipway::plan {

/// Sets the loader's cache of `request.injection`: that of the driver or the image, with the
/// libraries that its mounts and links put into `folders`, under their file names and SONAMEs.
/// Libraries for other processors are passed over. Fails with InvalidInput where the image's own
/// cannot be read.
Result<void> add_loader_names(const std::vector<std::string>& folders, const ImageFiles& files,
                              run::RunRequest& request);

}  // namespace slipway::plan
