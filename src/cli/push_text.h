/// What a push did, for people.
#pragma once

#include <string>

#include "plan/push_image.h"

namespace slipway::cli {

/// One line.
std::string push_text(const plan::PushedImage& pushed);

}  // namespace slipway::cli
