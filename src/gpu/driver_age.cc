#include <algorithm>

#include "gpu/compatibility.h"
#include "gpu/driver_findings.h"
#include "gpu/driver_version.h"

namespace slipway::gpu {
namespace {

/// The floor of a build's CUDA: `12.6` -> that of CUDA 12. Null where none is known.
const CudaDriver* find_floor(const std::string& cuda) {
  const auto& floors = compatibility_tables().cuda_drivers;
  const auto found = std::find_if(floors.begin(), floors.end(), [&](const CudaDriver& floor) {
    return cuda.starts_with(floor.cuda + ".");
  });
  return found == floors.end() ? nullptr : &*found;
}

/// Of the builds of one torch, the one with the lowest floor.
const CudaDriver* find_lowest_floor(const TorchCuda& torch) {
  const CudaDriver* lowest = nullptr;
  for (const std::string& cuda : torch.cuda) {
    const CudaDriver* const floor = find_floor(cuda);
    if (floor != nullptr &&
        (lowest == nullptr || compare(floor->min_driver, lowest->min_driver) < 0))
      lowest = floor;
  }
  return lowest;
}

}  // namespace

HostFindings judge_driver_age(const DriverState& state) {
  const auto version = parse_driver_version(state.host.driver_version);
  const auto& torches = compatibility_tables().torch_cudas;
  if (!version.ok() || torches.empty()) return {};
  const auto runs = [&](const TorchCuda& torch) {
    const CudaDriver* const floor = find_lowest_floor(torch);
    return floor != nullptr && reaches(*version, floor->min_driver);
  };
  const CudaDriver* const floor = find_lowest_floor(torches.back());
  if (floor == nullptr || runs(torches.back())) return {};
  const auto best = std::find_if(torches.rbegin(), torches.rend(), runs);
  return {{"driver-old", "driver", best == torches.rend() ? Severity::Warning : Severity::Note,
           fmt::format("driver {} runs {}; {} is built with CUDA {}, which needs driver {}",
                       state.host.driver_version,
                       best == torches.rend() ? "no known PyTorch" : "PyTorch up to " + best->torch,
                       torches.back().torch, floor->cuda, floor->min_driver.text()),
           "`The NVIDIA driver on your system is too old`",
           install_driver_command(state.distribution)}};
}

}  // namespace slipway::gpu
