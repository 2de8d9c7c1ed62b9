/// What must hold of an image's own root before a runtime works in it.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::run {

/// `/dev`, `/proc` and `/sys` are folders, or missing: where one is a link, old runtimes follow it
/// before they enter the root, and make files outside (CVE-2026-41579, CVE-2026-47766).
/// `folders` are the overlay's, top first. Fails with Denied.
Result<void> check_system_folders(const std::vector<std::string>& folders);

}  // namespace slipway::run
