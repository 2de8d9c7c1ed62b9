/// `[base] image` of slipway.toml becomes `[base]` of slipway.lock: a tag becomes a digest, and
/// what an environment must know of the image is read in it.
#pragma once

#include <string>

#include "plan/project_folder.h"
#include "plan/tools.h"
#include "spec/lock.h"

namespace slipway::plan {

/// Fills `base`, `glibc` and `python_version` of `lock`. `kept` is the lock whose pin holds on, or
/// null: then the registry says what the tag is now. Nothing is fetched where the kept lock has the
/// same image and a Python that slipway.toml takes. Fails as fetch_base_image and find_base_facts.
Result<void> pin_base(const spec::Project& project, const spec::Lock* kept, const Tools& tools,
                      spec::Lock& lock);

}  // namespace slipway::plan
