/// What GPUs can work together with, on request: GPUDirect Storage, RDMA, GDRCopy and IMEX
/// channels.
///
/// The names are those of NVIDIA's CDI modes (nvidia-ctk cdi generate --mode
/// gds|mofed|gdrcopy|imex), in CDI's form: `nvidia.com/gds=all`, `nvidia.com/imex-channel=3`. What
/// belongs to them is found anew each time, whatever a file in /etc/cdi says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::gpu {

struct ExtraDevices {
  std::vector<std::string> nodes;    ///< host paths of character devices, sorted
  std::vector<std::string> files;    ///< to be had read-only, at the same places
  std::vector<std::string> folders;  ///< the same
  bool operator==(const ExtraDevices&) const = default;
};

/// Whether `device` names one of them. Pure.
bool is_extra_device(std::string_view device);

/// Looks below `root` (`/` but in tests). Of InfiniBand only what programs open to talk (uverbs*,
/// rdma_cm), never what manages the fabric (umad*, issm*), and never a folder of nodes. Fails with
/// InvalidInput for a name that there cannot be, NotFound for what is not there.
Result<ExtraDevices> find_extra_devices(const std::string& root, std::string_view device);

}  // namespace slipway::gpu
