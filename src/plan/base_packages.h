/// Debian packages of a lock that has a base image: `base.apt` of slipway.toml, and a Python where
/// the image has none. Solved onto what dpkg has there, in that distribution's archive.
#pragma once

#include <string>
#include <vector>

#include "index/debian_index.h"
#include "plan/base_facts.h"
#include "plan/indexes.h"
#include "plan/tar_tree.h"
#include "plan/tools.h"
#include "spec/lock.h"
#include "spec/project.h"

namespace slipway::plan {

/// What is asked for, and why (LockedDeb::because).
struct BaseWish {
  std::string package;
  std::string because;
  bool operator==(const BaseWish&) const = default;
};

/// Of `apt`, and, where `needs_python`, the distribution's Python (`python`: "3.12", or empty for
/// its own choice) with what wheels expect of a system and is not `installed`. Pure.
std::vector<BaseWish> base_wishes(const std::vector<std::string>& apt, bool needs_python,
                                  const std::string& python,
                                  const std::vector<std::string>& installed);

/// What the packages make of the base: its Python where it had none or it is upgraded, its glibc,
/// its shell. `status` are dpkg's lists. Fails with Unsupported for a Python that is too old. Pure.
Result<BaseFacts> facts_with_packages(BaseFacts facts, const std::vector<index::DebFile>& debs,
                                      const std::vector<std::string>& status,
                                      const std::string& python, const std::string& name);

/// Fills `debs` of `lock` and changes `facts` to what comes out. `kept` are the versions of an
/// older lock. Fails with Unsupported (no dpkg, no archive, no key), InvalidInput (an unknown
/// package), Unsolvable, and as DebianIndex::fetch.
Result<void> add_base_packages(const spec::Project& project, const TarTree& tree,
                               const std::vector<index::DebPreference>& kept,
                               const Indexes& indexes, http::Client& client, const Tools& tools,
                               BaseFacts& facts, spec::Lock& lock);

}  // namespace slipway::plan
