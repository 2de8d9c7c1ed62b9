/// The JSON that scripts read. Objects may grow; `schema` changes when a meaning does.
#pragma once

#include <span>
#include <string>

#include "plan/build_image.h"
#include "plan/stored_images.h"

namespace slipway::cli {

std::string json_text(const plan::BuiltImage& image);
std::string json_text(const plan::StoredImage& image);
std::string json_text(std::span<const plan::StoredImage> images);

}  // namespace slipway::cli
