/// All libraries of the driver, for computing and for drawing, as a CDI specification mounts them.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "gpu/host.h"

namespace slipway::gpu {

struct CdiLibrary {
  std::string path;  ///< of the host; a file, no link
  std::string
      search_folder;  ///< of the host: where the loader looks; the file may be in a part of it
  /// Under which else it is looked for: its SONAME, and for those that programs open by it its
  /// development name. Without its own.
  std::vector<std::string> names;
  bool operator==(const CdiLibrary&) const = default;
};

/// The libraries with the driver's version in their names, and the few of the driver that have a
/// version of their own, in every folder of libraries that has some of the former; for programs of
/// this machine only. Folders that lead out of `root` are left out. In the order of the folders,
/// then by name. Fails with Io only.
Result<std::vector<CdiLibrary>> find_cdi_libraries(const HostGpus& host, const std::string& root);

}  // namespace slipway::gpu
