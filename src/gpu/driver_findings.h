/// From what a host shows to what is wrong with it: the layers gpu, driver and devices. Pure.
#pragma once

#include "gpu/driver_state.h"
#include "gpu/host_finding.h"

namespace slipway::gpu {

/// Everything about GPUs, their driver and its device nodes; for a host that has no GPU, one note.
HostFindings judge_driver_state(const DriverState& state, const Caller& caller);

/// The parts of it.
HostFindings judge_driver(const DriverState& state);
/// A note where the newest torch of data/compatibility.toml needs a newer driver.
HostFindings judge_driver_age(const DriverState& state);
HostFindings judge_gpus(const DriverState& state);
HostFindings judge_device_nodes(const DriverState& state, const Caller& caller);

/// `sudo apt-get install nvidia-driver`, or as this distribution does it.
std::string install_driver_command(const Distribution& distribution);

/// Whether there is a GPU that NVML answers for.
bool has_working_gpu(const DriverState& state);

}  // namespace slipway::gpu
