/// A lock as a graph, drawn with lines: `tree` from slipway.toml down, `why` from a package up.
#pragma once

#include <string>

#include "plan/project_folder.h"

namespace slipway::cli {

/// What slipway.toml asks for, and below each package what it needs; first wheels, then the Debian
/// packages of base.apt, without those that every image has. What was drawn before is drawn again
/// without what is below it, and marked `(*)`.
std::string draw_tree(const spec::Lock& lock);

/// The package, and above it who needs it, up to slipway.toml. `wheel` is one of the lock's.
std::string draw_reasons(const spec::Lock& lock, const spec::LockedWheel& wheel);

/// "GPU v100 and h100, driver >=525, CUDA 12.4, glibc 2.36, Python 3.11 on x86_64".
std::string layers_text(const spec::Lock& lock);

}  // namespace slipway::cli
