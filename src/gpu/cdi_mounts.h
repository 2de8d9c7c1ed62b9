/// The driver's files that a CDI specification mounts into a container.
///
/// Which they are is NVIDIA's choice (Container Toolkit, pkg/nvcdi, version 1.20), so that a
/// container gets the same from this specification as from theirs: more than Slipway's own runs,
/// which take what computing needs. One thing is added: their specification leaves it to a hook,
/// run in the container's tree, to make the names by which the loader looks for libraries. Here
/// each library is mounted under these names too, and no hook is needed.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "gpu/host.h"

namespace slipway::gpu {

struct CdiMount {
  /// A socket, or the folder of one, is written to.
  enum class Kind { File, Socket };
  std::string host_path;
  std::string container_path;  ///< that of the host, seen from the driver's root
  Kind kind = Kind::File;
  bool operator==(const CdiMount&) const = default;
};

struct CdiFiles {
  std::vector<CdiMount> mounts;              ///< by container path, each once
  std::vector<std::string> library_folders;  ///< in the container: where the libraries are
};

/// Fails with Io only.
Result<CdiFiles> find_cdi_files(const HostGpus& host, const HostGpuOptions& options);

}  // namespace slipway::gpu
