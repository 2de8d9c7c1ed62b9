/// Whether CUDA starts: the driver's libcuda is loaded and asked, in a process of its own.
///
/// NVML and CUDA take different ways into the driver. A fabric that is not set up, unified memory
/// that is missing or a control group show only when CUDA starts (CUDA Driver API, cuInit).
#pragma once

#include <optional>
#include <string>

namespace slipway::gpu {

struct CudaProbe {
  int status = 0;     ///< CUresult of cuInit, then of cuDeviceGetCount; 0: both worked
  int devices = 0;    ///< how many CUDA sees
  std::string words;  ///< CUDA's own for `status`
  bool operator==(const CudaProbe&) const = default;
};

/// `library` is the path of libcuda. Blocks: CUDA takes up to seconds to start; after a minute the
/// process is given up. Nothing where the library cannot be loaded or the process dies. For a
/// process without threads.
std::optional<CudaProbe> probe_cuda(const std::string& library);

}  // namespace slipway::gpu
