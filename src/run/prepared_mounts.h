/// Mounts of a container on their way: what is known before its process starts.
#pragma once

#include <vector>

#include "base/sandbox_steps.h"
#include "base/unique_fd.h"
#include "run/bundle.h"

namespace slipway::run {

/// The sources are opened once; the container's process attaches them in a folder of ours, from
/// which the runtime binds them. Keep `held` until that process has started.
struct PreparedMounts {
  std::vector<UniqueFd> held;
  std::vector<ChildStep> steps;
  std::vector<BundleMount> mounts;
};

}  // namespace slipway::run
