/// What captured programs need of this host: the libraries by the loader's rules, the loader
/// itself, a shell, certificates, the files of /etc that the C library reads.
#pragma once

#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "plan/captured_tree.h"

namespace slipway::plan {

struct SystemNeeds {
  std::vector<std::string> unfound;      ///< `/path/x.so needs liby.so.1`: not on this host either
  std::vector<std::string> by_variable;  ///< paths: what LD_LIBRARY_PATH found
  std::vector<std::string> library_folders;  ///< those of its folders, for the image's own variable
  std::vector<std::string> driver;  ///< libraries of the GPU's driver: a run brings the host's
};

/// Adds them to `tree`. The closure is that of gpu/loader.h, over the tree's own ELF files and the
/// host's folders. `library_path` is LD_LIBRARY_PATH, which outranks them; of its folders only what
/// is needed by name comes along, for opened later by name there is no list. A library that only
/// this host's ld.so.conf finds gets a link where the loader looks by itself, so that the image
/// needs no loader cache.
Result<SystemNeeds> add_system(CapturedTree& tree, const std::string& library_path,
                               const CancelToken& cancel);

}  // namespace slipway::plan
