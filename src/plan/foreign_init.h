/// `--init` for an image that does not start through one of its own: the machine's catatonit or
/// tini.
#pragma once

#include <string>

#include "run/container.h"

namespace slipway::plan {

/// Where it is mounted, read-only. No volume lies above it.
inline constexpr const char* kForeignInit = "/.slipway-init";

/// Has the first that PATH, or what came with this program, knows and that needs no library of the
/// image's mounted, as process 1. Fails with NotFound, and Unsupported where all need libraries.
Result<void> add_foreign_init(run::RunRequest& request);

}  // namespace slipway::plan
