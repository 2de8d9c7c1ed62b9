/// Takes out of a configured Debian tree what depends on the machine, the hour or the order of
/// work.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::layer {

/// shadow(5) with every date of a last change that is set to a day at the layer's time. Pure.
std::string fix_shadow_dates(std::string_view shadow);

/// Removes logs, caches, locks, backups, host keys, machine identity, bytecode, and what the dpkg
/// configuration keeps out; empties /dev, /proc, /sys, /run, /tmp. Blocks. See
/// docs/decisions/0004-debian-base.md for the list and the reasons.
Result<void> normalise_debian_tree(const std::string& tree_folder);

/// Sets the time of everything below the folder to the layer's.
Result<void> fix_times(const std::string& tree_folder);

}  // namespace slipway::layer
