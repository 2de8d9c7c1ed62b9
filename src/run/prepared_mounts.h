/// Mounts of a container on their way: what is known before its process starts.
#pragma once

#include <sys/types.h>

#include <string>
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

/// In a staging folder: where a mount of that kind (of `st_mode`) can be attached, a folder or an
/// empty file that was not there. Fails with Io.
Result<void> make_mount_place(const std::string& path, mode_t kind);

/// How many folders deep: mounts are made in this order, so that none hides another. Pure.
std::ptrdiff_t depth_of(const std::string& path);

}  // namespace slipway::run
