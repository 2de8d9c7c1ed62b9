/// A CDI specification (Container Device Interface) of this host's GPUs: what Podman, Docker and
/// Kubernetes add to a container that asks for `nvidia.com/gpu=NAME`.
///
/// Devices are named as NVIDIA's Container Toolkit names them: by index (`0`), by UUID, `all`, and
/// the parts of a divided GPU `0:1`; a GPU that is divided is no device itself. There are no hooks:
/// nothing runs in the container's tree before the container does (cdi_mounts.h). The fields are
/// those of the CDI specification, SPEC.md.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "gpu/cdi_mounts.h"
#include "gpu/host.h"

namespace slipway::gpu {

struct CdiNode {
  std::string path;       ///< in the container
  std::string host_path;  ///< the same, where the driver's root is the host's
  unsigned major = 0;
  unsigned minor = 0;
  mode_t mode = 0;  ///< permissions only
  gid_t gid = 0;
  bool operator==(const CdiNode&) const = default;
};

struct CdiEdits {
  std::vector<std::string> environment;  ///< `NAME=value`
  std::vector<CdiNode> nodes;
  std::vector<CdiMount> mounts;
  std::vector<gid_t> additional_gids;  ///< of nodes that are not open to all
  bool operator==(const CdiEdits&) const = default;
};

struct CdiDevice {
  std::string name;
  CdiEdits edits;
  bool operator==(const CdiDevice&) const = default;
};

struct CdiSpec {
  std::string version;  ///< the oldest that has what is used: engines refuse newer than they know
  std::string kind;     ///< `nvidia.com/gpu`
  CdiEdits edits;       ///< for every container that has one of the devices
  std::vector<CdiDevice> devices;     ///< by name
  std::vector<std::string> left_out;  ///< GPUs without nodes, in words
};

/// `host` as read with the same `options`. Fails with Unsupported where there is no GPU that could
/// be given to a container (the reason is `host.missing`), on WSL2, and with Io.
Result<CdiSpec> make_cdi_spec(const HostGpus& host, const HostGpuOptions& options);

}  // namespace slipway::gpu
