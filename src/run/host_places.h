/// Files, folders and sockets of the host's GPU stack in a container, each at a place of its own.
#pragma once

#include <string>

#include "run/container.h"
#include "run/prepared_mounts.h"

namespace slipway::run {

/// Each source is opened once, and mounted by that descriptor. `staging_folder` is ours and not
/// there yet. Fails with NotFound, Denied, Io; Unsupported where a source is of another kind by
/// now.
Result<PreparedMounts> prepare_host_places(const RunRequest& request,
                                           const std::string& staging_folder);

}  // namespace slipway::run
