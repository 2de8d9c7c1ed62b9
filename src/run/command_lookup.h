/// Whether a command can be run, asked before the container is made: an init as PID 1 would turn
/// "not found" into a plain failure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "run/container.h"

namespace slipway::run {

/// 127 where the layers surely have no such command, 126 where it is a folder or nobody may execute
/// it, nothing where it is there or only a volume can tell. Follows links from layer to layer, as
/// the overlay will, and never leaves them.
std::optional<int> find_command_problem(const RunRequest& request);

}  // namespace slipway::run
