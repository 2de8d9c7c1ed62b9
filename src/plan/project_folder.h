/// A folder with a slipway.toml, and the lock beside it.
#pragma once

#include <optional>
#include <string>

#include "spec/lock.h"
#include "spec/project.h"

namespace slipway::plan {

struct ProjectFolder {
  std::string path;  ///< absolute
  spec::Project spec;

  std::string file() const { return path + "/slipway.toml"; }
  std::string lock_file() const { return path + "/slipway.lock"; }
};

/// Looks in `start` and the folders above it, as cargo and git do. NotFound where there is none.
Result<ProjectFolder> open_project(const std::string& start);

/// NotFound where there is no lock yet; InvalidInput where it cannot be read. One that no longer
/// matches slipway.toml is read all the same.
Result<spec::Lock> read_lock(const ProjectFolder& project);

/// The lock, which must be there and match slipway.toml: else InvalidInput. Never solves.
Result<spec::Lock> read_matching_lock(const ProjectFolder& project);

/// Nothing where there is no lock yet; InvalidInput where it cannot be read.
Result<std::optional<spec::Lock>> find_lock(const ProjectFolder& project);

}  // namespace slipway::plan
