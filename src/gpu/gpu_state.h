/// One GPU as it is now: what NVML says beyond its identity.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gpu/host.h"
#include "gpu/nvml.h"

namespace slipway::gpu {

enum class ComputeMode { Default = 0, ExclusiveThread = 1, Prohibited = 2, ExclusiveProcess = 3 };

/// Fields that this GPU or this driver does not have are empty.
struct GpuState {
  unsigned index = 0;  ///< NVML's and nvidia-smi's
  int status = 0;      ///< nvmlReturn_t of the first question; 0: the GPU answers
  std::string status_words;
  Gpu gpu;
  std::string pci_slot;  ///< `0000:41:00.0`, as in /sys/bus/pci/devices
  std::optional<std::uint64_t> used_bytes;
  std::optional<bool> persistence;
  std::optional<ComputeMode> compute_mode;
  std::optional<bool> mig, mig_pending;  ///< now, and after the next reset
  unsigned mig_devices = 0;
  std::optional<bool> ecc;
  std::uint64_t uncorrected_errors = 0;  ///< since the driver was loaded
  bool repair_pending = false;           ///< memory waits for a reset to be repaired
  bool repair_failed = false;            ///< no spare memory is left
  std::optional<unsigned> processes;     ///< those that compute
  std::optional<unsigned> celsius;
  bool is_throttled = false;  ///< slowed down by heat or by the power supply
  bool needs_fabric = false;  ///< NVSwitch: nvidia-fabricmanager has to set it up
  bool has_fabric = false;    ///< and has done so
  bool operator==(const GpuState&) const = default;
};

/// `nvml` must be started. One that does not answer is in the list with its status.
std::vector<GpuState> read_gpu_states(const Nvml& nvml);

}  // namespace slipway::gpu
