/// The check of bytes that ends a build: every library that an ELF file of the image asks for is
/// in the image, with the versions of its symbols, or is the driver's; and what is in the image
/// runs on the GPUs and drivers of the lock's target. See gpu/closure.h and gpu/verdict.h.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plan/build_image.h"
#include "plan/project_folder.h"
#include "plan/tools.h"
#include "store/store.h"

namespace slipway::plan {

/// Changes with the rules: what an older version found good is looked at again.
inline constexpr std::string_view kProofRules = "proof 3";

/// What was scanned once is remembered by diff_id, and a whole image by all of them. Fails with
/// Unsolvable, naming the wheel, the library and what would fit.
Result<void> prove_image(const store::Store& store, const spec::Lock& lock,
                         std::span<const ImageLayer> layers, const Tools& tools);

}  // namespace slipway::plan
