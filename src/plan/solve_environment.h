/// The Python packages of a lock, solved together with the layers below them.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "plan/indexes.h"
#include "plan/project_folder.h"
#include "spec/lock.h"

namespace slipway::plan {

struct EnvironmentRequest {
  const ProjectFolder& project;
  std::string python_version;                      ///< "3.11.2": of the base's interpreter
  std::string base;                                ///< "Debian bookworm": who brings it
  std::map<std::string, std::string> preferences;  ///< see solve::Request
  std::optional<UtcTime> before;                   ///< wheels uploaded later do not count
};

/// Fills the wheels and the target's GPUs, driver and CUDA of `lock`, which has the base's glibc.
/// Fails with Unsolvable, with the explanation and with changes that were seen to work
/// (plan/remedies.h); else as the indexes do.
Result<void> solve_environment(const EnvironmentRequest& request, Indexes& indexes,
                               const Tools& tools, spec::Lock& lock);

}  // namespace slipway::plan
