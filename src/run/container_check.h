/// What a container is, beside what its bundle says: users, capabilities, no_new_privs, the seccomp
/// filter, limits, mounts, devices.
///
/// Everything is read from outside, where the container cannot lie: the kernel's own view of its
/// first process (proc(5), mount_namespaces(7)), best while that stands at its first instruction.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::run {

struct ContainerCheck {
  std::vector<std::string> agreed;       ///< `capabilities`, `14 mounts`
  std::vector<std::string> differences;  ///< `mount /data: planned ro, found rw`
};

/// `program` is the container's process 1, `config` the text of its config.json; `maker` sees what
/// that names as the runtime did, sources of mounts above all. Fails with Io where a process cannot
/// be looked at, Corrupt where the text is no bundle's.
Result<ContainerCheck> check_container(pid_t program, pid_t maker, std::string_view config);

}  // namespace slipway::run
