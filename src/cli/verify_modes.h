/// The two questions of `slipway verify`. Each returns the exit status, or the error to be told.
#pragma once

#include <string>

#include "cli/command.h"

namespace slipway::cli {

/// Is the image what the project's lock gives?
Result<int> verify_by_rebuilding(const Invocation& call, Context& context);

/// Did the owner of this public key sign the image?
Result<int> verify_signature(const std::string& key_file, const Invocation& call, Context& context);

}  // namespace slipway::cli
