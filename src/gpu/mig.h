/// MIG: a GPU that is divided into parts, each with memory, a UUID and nodes of its own.
///
/// Whoever can open the nodes of two capabilities, that of the GPU instance and that of the compute
/// instance, beside the node of the GPU, can use that part and no other. Their minor numbers are in
/// /proc/driver/nvidia-caps/mig-minors (NVIDIA's MIG User Guide, "Device Nodes and Capabilities").
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/host.h"
#include "gpu/nvml.h"

namespace slipway::gpu {

/// Fills `mig_enabled` and, but for the capabilities, `mig_devices`. Nothing where the GPU or the
/// driver (before 450) cannot divide.
void read_mig(const Nvml& nvml, Nvml::Device device, Gpu& gpu);

/// The lines of mig-minors: `gpu0/gi7/ci0/access 67` -> 67. Other lines are passed over. Pure;
/// takes any bytes.
std::map<std::string, int> parse_mig_minors(std::string_view text);

/// Fills the capabilities of all `mig_devices`.
void read_mig_capabilities(const std::string& root, std::vector<Gpu>& gpus);

/// The three nodes below /dev through which exactly this part is used; fewer where its capabilities
/// are not known, and then it cannot be.
std::vector<std::string> mig_nodes(const Gpu& gpu, const MigDevice& part);

}  // namespace slipway::gpu
