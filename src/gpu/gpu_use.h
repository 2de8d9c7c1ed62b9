/// What uses the GPUs just now, as NVML says it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gpu/nvml.h"

namespace slipway::gpu {

struct GpuProcess {
  pid_t pid = 0;  ///< the host's
  bool computes = false;
  bool draws = false;
  std::optional<std::uint64_t> memory_bytes;  ///< nothing where the driver does not tell
  std::string mig_uuid;                       ///< of the part that it uses; empty: of the GPU
  bool operator==(const GpuProcess&) const = default;
};

struct GpuUse {
  std::optional<std::uint64_t> used_bytes;
  std::vector<GpuProcess> processes;  ///< by pid; those that the caller may see
  bool operator==(const GpuUse&) const = default;
};

/// One for each of `gpus`, which are NVML's in its order. `nvml` must be started. What a GPU or a
/// driver does not tell is empty.
std::vector<GpuUse> read_gpu_use(const Nvml& nvml, const std::vector<Gpu>& gpus);

}  // namespace slipway::gpu
