/// Packages and their files, out of the paths in which two images differ. Private to image_diff.cc.
#pragma once

#include <vector>

#include "plan/image_diff.h"
#include "plan/image_files.h"

namespace slipway::plan {

struct PackagesAndFiles {
  std::vector<PackageDiff> packages;
  std::vector<FileDiff> files;
};

PackagesAndFiles diff_packages(std::vector<layer::PathChange> changes, const ImageFiles& before,
                               const ImageFiles& after);

}  // namespace slipway::plan
