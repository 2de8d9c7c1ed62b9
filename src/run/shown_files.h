/// Files and folders of ours that a container's processes see, whatever the caller's umask is.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::run {

/// Mode 0755, where it is not there yet; folders above it are made too, and those are not shown.
Result<void> make_shown_folder(const std::string& path);

/// Mode 0644. Nothing of that name may be there; need not survive a crash.
Result<void> write_shown_file(const std::string& path, std::string_view text);

}  // namespace slipway::run
