/// Where the places of mounts really lie, once the image's links are followed.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::run {

/// A runtime follows the image's links to the place of a mount, inside the root. None of them may
/// lead to `/dev`, `/proc` or `/sys`: a folder of the host's would lie there, and the runtime would
/// make the container's device nodes in it. And none may lead into another of `mounts`, where links
/// that another container made may lie: what is within a mount is attached by us, by its name.
///
/// `folders` are the overlay's, top first; all places are folded. Fails with Denied, Unsupported.
Result<void> check_mount_places(const std::vector<std::string>& folders,
                                const std::vector<std::string>& targets,
                                const std::vector<std::string>& mounts);

}  // namespace slipway::run
