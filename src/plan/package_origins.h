/// The files from which the packages of an image were installed, as far as this store knows: from
/// the image's lock, else from the recipes of its layers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/image_files.h"
#include "plan/stored_images.h"

namespace slipway::plan {

struct PackageOrigin {
  std::string file;
  Digest sha256;
  std::optional<std::vector<std::string>> needs;  ///< names, where a lock tells
};

/// By the keys below.
using PackageOrigins = std::map<std::string, PackageOrigin>;

/// Versions of Python packages are compared in their normal form (PEP 440).
std::string python_origin_key(const std::string& name, const std::string& version);
std::string debian_origin_key(const std::string& name, const std::string& version,
                              const std::string& architecture);

/// `project_lock` as find_image_lock has it. What cannot be read counts as not known.
PackageOrigins find_package_origins(const StoredImage& image, const ImageFiles& files,
                                    const store::Store& store, const std::string& project_lock);

}  // namespace slipway::plan
