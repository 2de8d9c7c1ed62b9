/// What the two halves of the layer `gpu` share; for driver_findings.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gpu/driver_state.h"
#include "gpu/host_finding.h"

namespace slipway::gpu {

/// What is wrong with single GPUs; those with the same trouble are one finding.
HostFindings judge_each_gpu(const DriverState& state);

HostFinding gpu_finding(std::string id, Severity severity, std::string message, std::string symptom,
                        std::string remedy);

/// `0-3, 5`, of sorted numbers.
std::string ranges_text(const std::vector<unsigned>& numbers);

inline double gibibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1ULL << 30); }

}  // namespace slipway::gpu
