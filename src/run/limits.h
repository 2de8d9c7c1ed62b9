/// What a container may use, against what this machine has and can enforce.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "run/container.h"

namespace slipway::run {

inline constexpr const char* kCgroupFolder = "/sys/fs/cgroup";

/// How control groups are mounted: cgroups(7). Hybrid is version 1 with an empty version 2 beside.
enum class CgroupLayout { None, V1, Hybrid, V2 };

struct HostLimits {
  std::uint64_t memory_bytes = 0;
  double cores = 1;
  CgroupLayout layout = CgroupLayout::None;
  std::string unified_path;   ///< Hybrid: where version 2 is mounted
  std::string cgroup_parent;  ///< where a group of ours can be made, as runtimes want it
                              ///< ("/slipway"); empty: nowhere
  bool can_limit_memory = false;
  bool can_limit_swap = false;
  bool can_limit_cpus = false;
  std::string missing;  ///< why not, and
  std::string remedy;   ///< what to do about it
};

/// Reads /proc and /sys/fs/cgroup.
HostLimits read_host_limits();

struct ResolvedLimits {
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::uint64_t> memory_and_swap_bytes;
  std::optional<double> cpus;
  std::uint64_t shm_bytes = 0;
};

/// Exact limits that cannot be had are Unsupported, senseless ones InvalidInput; ceilings are
/// lowered or left out, with a line in `notes`. Pure.
Result<ResolvedLimits> resolve_limits(const Limits& wanted, const HostLimits& host,
                                      std::vector<std::string>& notes);

/// Of this process (getrlimit(2)), which a container's cannot be above.
std::uint64_t hard_limit(int resource);

/// The layout, from /proc/self/mountinfo's text. Pure.
struct CgroupMounts {
  CgroupLayout layout = CgroupLayout::None;
  std::string unified_path;
};
CgroupMounts parse_cgroup_mounts(std::string_view mountinfo);

/// The group nearest above `own` (of /proc/self/cgroup, version 2) in which this user may make
/// others that have the controllers memory and cpu: writable, and without processes of its own
/// ("no internal processes", Documentation/admin-guide/cgroup-v2.rst). `root` is where the tree is
/// mounted. Nothing where there is none.
std::optional<std::string> find_delegated_group(const std::string& root, std::string_view own);

/// Version 2: lets groups below `folder` have the controllers cpu, memory, pids and io, as far as
/// it has them itself (cgroup.subtree_control). Fails with Unsupported where cpu or memory stay
/// out.
Result<void> enable_controllers(const std::string& folder);

}  // namespace slipway::run
