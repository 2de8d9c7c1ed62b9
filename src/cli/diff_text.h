/// How the answer of `slipway diff` looks: a page for people, an object for programs.
#pragma once

#include <string>

#include "cli/print_error.h"
#include "plan/image_diff.h"

namespace slipway::cli {

/// Whether every file is shown, or those of packages are told with their package and of the others
/// the first.
enum class ShowFiles { Some, All };

/// Packages, code for GPUs, configuration, files, sizes; what does not differ is left out.
std::string diff_page(const plan::ImageDiff& diff, ShowFiles files, Colour colour);

/// docs/formats/diff.md, with a newline at the end. `files` is null unless all are shown.
std::string diff_json(const plan::ImageDiff& diff, ShowFiles files);

}  // namespace slipway::cli
