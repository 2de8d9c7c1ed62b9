/// GPUs by name, as people, nvidia-smi and NVML write them.
#pragma once

#include <string_view>

#include "gpu/compatibility.h"

namespace slipway::gpu {

/// `h100`, `NVIDIA H100 80GB HBM3`, `RTX 4090`, `Tesla V100-SXM2-16GB`, `sm_90`, `9.0`. Case,
/// blanks and dashes do not count, nor do makers' words, memory sizes and form factors. Null:
/// unknown.
const GpuModel* find_gpu(const CompatibilityTables& tables, std::string_view name);

/// The same; InvalidInput, with the nearest names, where there is none.
Result<GpuModel> parse_gpu(const CompatibilityTables& tables, std::string_view name);

}  // namespace slipway::gpu
