/// What this host has for containers, before it is judged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gpu/host_view.h"
#include "run/limits.h"
#include "run/mount_probe.h"

namespace slipway::run {

struct RuntimeVersion {
  std::string name;     ///< crun, runc
  std::string version;  ///< `1.8.1`; empty where it did not say
  bool operator==(const RuntimeVersion&) const = default;
};

/// A folder of Slipway's, or the nearest one above it that exists.
struct FolderState {
  std::string path;  ///< as configured
  bool exists = false;
  bool is_writable = false;
  std::string file_system;  ///< `ext4`, `nfs`, …; a number where the name is not known
  std::uint64_t free_bytes = 0;
  std::uint64_t device = 0;  ///< the same for two folders on one disk
  bool operator==(const FolderState&) const = default;
};

struct HostState {
  gpu::Distribution distribution;
  std::string kernel_release;
  std::vector<RuntimeVersion> runtimes;
  // For ordinary users; -1: the kernel has no such setting.
  long long userns_clone = -1, max_user_namespaces = -1, apparmor_userns = -1;
  bool may_gain_privileges = true;  ///< no_new_privs is not set
  bool has_uidmap = false;          ///< newuidmap and newgidmap
  bool uidmap_is_privileged = false;
  std::uint64_t subordinate_uids = 0, subordinate_gids = 0;
  std::uint32_t free_subordinate_id = 100000;  ///< the first behind all ranges given away
  std::optional<MountProbe> mounts;            ///< tried on the running system only
  bool kernel_knows_overlay = false;
  bool has_pasta = false;
  bool tun_is_open = false;  ///< /dev/net/tun, to this caller
  CgroupLayout cgroups = CgroupLayout::None;
  bool can_limit = false;  ///< memory and cpus, for this caller
  FolderState store, cache;
  std::uint64_t memory_bytes = 0, available_bytes = 0;
  double cores = 1;
  std::int64_t unix_time = 0;
  bool has_infiniband = false;
  std::uint64_t most_locked_bytes = 0;
  bool in_container = false;
};

struct HostStateRequest {
  gpu::HostView host;
  std::string store_folder, cache_folder;  ///< not below the root: where they are
  std::int64_t unix_time = 0;
};

/// Changes nothing. Tries namespaces and mounts where `host` is the running system.
HostState read_host_state(const HostStateRequest& request);

/// `1.1.5` in `runc version 1.1.5+ds1-1+deb12u1`. Pure.
std::string parse_runtime_version(std::string_view text);

}  // namespace slipway::run
