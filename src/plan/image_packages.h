/// The packages in an image, as pip and dpkg would list them: read from what they leave in its
/// files, whoever made the image.
#pragma once

#include <string>
#include <vector>

#include "index/core_metadata.h"
#include "index/debian_installed.h"
#include "plan/image_files.h"
#include "plan/tools.h"

namespace slipway::plan {

struct InstalledPython {
  std::string name;    ///< normalised as PEP 503 says
  std::string place;   ///< its dist-info or egg-info: `/opt/venv/…/numpy-2.1.0.dist-info`
  std::string python;  ///< of the folder `lib/python3.11/…`: `3.11`; else empty
  index::CoreMetadata metadata;
};

struct ImagePackages {
  std::vector<InstalledPython> python;      ///< by name, then place
  std::vector<index::InstalledDeb> debian;  ///< by name, then architecture
  std::string distribution;                 ///< ID of os-release(5): `debian`; may be empty
  std::string distribution_version;         ///< VERSION_ID: `12`; may be empty
};

/// Whether a folder holds Python packages: the innermost `site-packages` or `dist-packages`, but
/// none within another (what setuptools and pip bring along for themselves, no one lists).
bool is_site_folder(std::string_view path);

/// What METADATA or PKG-INFO says; where it lacks name or version, the folder's own name does.
/// Nothing where neither tells. `place` as above. Pure.
std::optional<InstalledPython> read_python_package(const std::string& place,
                                                   const std::string& metadata);

/// The file of a `*.dist-info` or `*.egg-info` that holds the metadata: itself, for old egg-infos.
std::string metadata_path(const ImageFiles& files, const std::string& place);

/// Of the status file and of `status.d`; sorted.
std::vector<index::InstalledDeb> read_installed_debs(const ImageFiles& files);

/// All of it. Which folders there are is known from the layers' facts (layer_facts.h), which are
/// read where they are not known yet; Debian's own folders are looked into as well. What is there
/// and cannot be read is told by a warning. To be called under a lease. Fails as read_layer_facts.
Result<ImagePackages> read_image_packages(const StoredImage& image, const ImageFiles& files,
                                          const store::Store& store, const Tools& tools);

}  // namespace slipway::plan
