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
  std::vector<std::string> unfound;  ///< `/path/x.so needs liby.so.1`: not on this host either
  std::vector<std::string> driver;   ///< libraries of the GPU's driver: a run brings the host's
};

/// Adds them to `tree`. The closure is that of gpu/loader.h, over the tree's own ELF files and the
/// host's folders, without LD_LIBRARY_PATH. A library that only this host's ld.so.conf finds gets a
/// link where the loader looks by itself, so that the image needs no loader cache.
Result<SystemNeeds> add_system(CapturedTree& tree, const CancelToken& cancel);

}  // namespace slipway::plan
