/// The check of bytes that ends a build: every library that an ELF file of the image asks for is
/// in the image, or is the driver's. See gpu/closure.h.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plan/build_image.h"
#include "plan/project_folder.h"
#include "plan/tools.h"
#include "store/store.h"

namespace slipway::plan {

/// What was scanned once is remembered by diff_id, and a whole image by all of them. Fails with
/// Unsolvable, naming the wheel, the library and the version that would fit.
Result<void> prove_image(const store::Store& store, const spec::Lock& lock,
                         std::span<const ImageLayer> layers, const Tools& tools);

}  // namespace slipway::plan
