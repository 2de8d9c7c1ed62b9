/// What the ELF files and Python packages of a layer or a wheel are, read once and remembered.
#pragma once

#include "base/digest.h"
#include "gpu/library_scan.h"
#include "plan/tools.h"
#include "spec/lock.h"
#include "store/store.h"

namespace slipway::plan {

/// Of an unpacked layer; remembered by its diff_id. Fails as gpu::scan_layer does.
Result<gpu::LayerLibraries> read_layer_facts(const store::Store& store, const Digest& diff_id,
                                             const Tools& tools);

/// Of each wheel of the lock, in its order, as if installed below the image's prefix; remembered by
/// the wheel's sha256. Wheels that are not known yet are fetched (`indexes` are the project's own),
/// and unpacked for a moment in the
/// store's tmp/: deflate has no way to the middle of a file. Fails as fetch_artifacts does.
Result<std::vector<gpu::LayerLibraries>> read_lock_facts(
    const store::Store& store, const spec::Lock& lock,
    const std::vector<spec::PythonIndex>& indexes, const Tools& tools);

}  // namespace slipway::plan
