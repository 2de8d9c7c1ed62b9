/// Which image a command is about: the one named, else the project's.
#pragma once

#include "cli/command.h"
#include "plan/stored_images.h"
#include "plan/tools.h"

namespace slipway::cli {

/// The first operand, else `name:tag` of the project that holds `context.folder`. NotFound says
/// which of the two is missing and what makes it.
Result<plan::StoredImage> image_of(const Invocation& call, const Context& context,
                                   const plan::Tools& tools);

}  // namespace slipway::cli
