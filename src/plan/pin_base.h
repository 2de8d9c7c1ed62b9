/// `[base] image` of slipway.toml becomes `[base]` of slipway.lock: a tag becomes a digest, and
/// what an environment must know of the image is read in it.
#pragma once

#include <vector>

#include "index/debian_index.h"
#include "plan/indexes.h"
#include "plan/project_folder.h"
#include "plan/tools.h"
#include "spec/lock.h"

namespace slipway::plan {

/// What an older lock wants to be kept.
struct KeptBase {
  const spec::Lock* lock = nullptr;        ///< whose pin holds on; null: the tag is asked again
  std::vector<index::DebPreference> debs;  ///< versions of the packages that are added
};

/// Fills `base`, `glibc`, `python_version` and the Debian packages of `lock`. Nothing is fetched
/// where the kept lock has the same image and a Python that slipway.toml takes, and no packages are
/// added. Fails as fetch_base_image, find_base_facts and add_base_packages.
Result<void> pin_base(const spec::Project& project, const KeptBase& kept, Indexes& indexes,
                      const Tools& tools, spec::Lock& lock);

}  // namespace slipway::plan
