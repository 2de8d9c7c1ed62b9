/// CDI files (Container Device Interface) that other engines read, and that outlive a driver.
///
/// Slipway's own runs read none: it looks the driver up at each start. But Podman, Docker and
/// Kubernetes on this host do, and a file made for an older driver is what breaks them after an
/// update. (cdi_spec.h makes one.)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gpu/host_finding.h"
#include "gpu/host_view.h"

namespace slipway::gpu {

/// The absolute paths of the host that a CDI file names, in YAML or JSON: values of `hostPath` and,
/// for device nodes and hooks, `path`. Sorted, each once. Pure; takes any bytes.
std::vector<std::string> parse_cdi_paths(std::string_view text);

/// Each file of /etc/cdi and /var/run/cdi that names files which are not there, or libraries of
/// another driver than `driver_version` (where that is known).
HostFindings judge_cdi_files(const HostView& host, const std::string& driver_version);

}  // namespace slipway::gpu
