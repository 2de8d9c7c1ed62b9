/// `slipway lock`: from slipway.toml to slipway.lock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/utc_time.h"
#include "plan/project_folder.h"
#include "plan/tools.h"

namespace slipway::plan {

struct LockRequest {
  enum class Upgrade { Nothing, Named, Everything };
  Upgrade upgrade = Upgrade::Nothing;
  /// Of Upgrade::Named: wheels, Debian packages, or the base image as slipway.toml has it.
  std::vector<std::string> packages;
  /// Only wheels that were uploaded earlier. Without it the date of the old lock holds on, unless
  /// everything is upgraded.
  std::optional<UtcTime> before{};
  /// A lock of an older slipway, which does not say who needs a Debian package: whether it is
  /// solved anew for that, keeping all versions.
  enum class OlderForm { Keep, Complete };
  OlderForm older_form = OlderForm::Keep;
};

struct LockOutcome {
  spec::Lock lock;
  bool changed = false;              ///< the file was written
  std::vector<std::string> changes;  ///< to an older lock: "+ torch 2.6.0", "six 1.16.0 -> 1.17.0"
};

/// Solves anew where slipway.toml no longer matches the lock, or an upgrade is asked for; what the
/// lock holds is kept where it still fits. Another date is as a new solve for the wheels: what was
/// best at that time. Otherwise nothing is fetched and nothing is written. Fails with Unsolvable
/// (with the explanation), Unavailable, InvalidInput; the lock then stays.
Result<LockOutcome> lock_project(const ProjectFolder& project, const LockRequest& request,
                                 const Tools& tools);

}  // namespace slipway::plan
