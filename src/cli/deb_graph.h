/// The Debian packages of a lock, and who needs them.
#pragma once

#include <string>

#include "plan/explain_lock.h"

namespace slipway::cli {

/// Those of base.apt, and below each what it needs, without the packages that every image has.
/// Empty for a lock of an older slipway, which does not say.
std::string draw_debs(const spec::Lock& lock);

/// The package, and above it who needs it, by the shortest ways to slipway.toml and to the base;
/// then who else needs it. `deb` is one of the lock's.
std::string draw_reasons(const spec::Lock& lock, const spec::LockedDeb& deb);

}  // namespace slipway::cli
