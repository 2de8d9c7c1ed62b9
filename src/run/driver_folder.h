/// The host's GPU driver inside a container, without hooks: one read-only folder of the driver's
/// libraries, and a loader's cache that knows it.
///
/// The folder is put together anew for each run, in memory, from mounts of the host's own files: it
/// is never older than the driver, and nothing is copied.
#pragma once

#include <string>

#include "run/container.h"
#include "run/prepared_mounts.h"

namespace slipway::run {

/// `staging_folder` is ours and not there yet. Fails with NotFound, Denied, Io.
Result<PreparedMounts> prepare_driver_folder(const DriverFiles& driver,
                                             const std::string& staging_folder);

/// Writes the loader's cache to `upper_folder`, the run's own layer, and lines for the next
/// ldconfig inside; each is left out where its folder is none in the image. Nothing of the image is
/// written to or followed. Fails with Io.
Result<void> tell_loader(const RunRequest& request, const std::string& upper_folder);

}  // namespace slipway::run
