/// `--device vendor.com/class=name`: devices of the CDI files of this machine.
///
/// `nvidia.com/gpu=NAME` stays Slipway's own where it can mean something here: `all`, an index, a
/// UUID, `0:1`. Those are found anew for each run, so no file can be stale (decision 0013). Other
/// names of that kind, and all of them where NVIDIA's driver has no nodes, are looked for in files.
#pragma once

#include "plan/image_files.h"
#include "plan/run_image.h"
#include "run/container.h"

namespace slipway::plan {

/// Moves the names of CDI devices from `flags.devices` to `flags.cdi`, looked up. Reads no file
/// where there are none. To be called as the caller, before a user namespace is entered. Fails with
/// NotFound, and with InvalidInput (no such form of name; several files claim it).
Result<void> find_cdi_devices(RunFlags& flags);

/// Fills in what they need. Fails with Unsupported where that cannot be given: hooks that Slipway
/// cannot replace (with `RunFlags::Hooks::LeftOut` a warning says which), network interfaces, kinds
/// and options of mounts.
Result<void> add_cdi_devices(const RunFlags& flags, const ImageFiles& files,
                             run::RunRequest& request, Reporter& reporter);

}  // namespace slipway::plan
