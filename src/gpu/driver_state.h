/// Everything that this host shows of its GPUs and their driver, before it is judged.
///
/// Read from sysfs, procfs, /dev and NVML (which may itself load the module and make nodes, as it
/// does for nvidia-smi: so they are looked at afterwards). Sources: the
/// driver's README (chapters "Installing the NVIDIA driver", "The NVIDIA kernel module parameters":
/// NVreg_DeviceFile*), Documentation/ABI/testing/sysfs-bus-pci of the kernel.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "gpu/cuda_probe.h"
#include "gpu/gpu_state.h"
#include "gpu/host_view.h"
#include "gpu/kernel_log.h"

namespace slipway::gpu {

struct PciGpu {
  std::string slot;    ///< `0000:41:00.0`
  std::string id;      ///< `10de:2330`
  std::string driver;  ///< bound to it: `nvidia`, `nouveau`, `vfio-pci`; empty: none
  bool operator==(const PciGpu&) const = default;
};

struct DeviceNode {
  std::string path;  ///< as the host names it
  bool exists = false;
  bool is_device = false;
  unsigned mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string group;  ///< name of `gid`
  bool operator==(const DeviceNode&) const = default;
};

struct DriverState {
  std::vector<PciGpu> pci;  ///< NVIDIA's display and 3D controllers, by slot
  bool is_wsl = false;
  bool nouveau_loaded = false;
  bool module_loaded = false;     ///< nvidia
  bool uvm_loaded = false;        ///< nvidia_uvm
  std::string module_version;     ///< of the loaded module: `570.86.15`
  bool is_open_module = false;    ///< the open kernel modules
  bool module_installed = false;  ///< for the running kernel, as depmod(8) knows it
  std::string kernel_release;
  std::string library_version;  ///< from the name of the file behind libnvidia-ml.so.1
  bool library_found = false;
  int nvml_status = 0;  ///< of nvmlInit_v2, where the library was found
  std::string nvml_words;
  HostGpus host;  ///< what a run would use
  std::vector<GpuState> gpus;
  std::optional<CudaProbe> cuda;  ///< where NVML has a GPU and there is a libcuda
  std::vector<DeviceNode> nodes;  ///< those that CUDA needs here
  std::vector<XidMessage> xids;   ///< the last of each GPU, where the kernel's log may be read
  Distribution distribution;
};

/// `nvml_library` as in HostGpuOptions. Fails with Io only.
Result<DriverState> read_driver_state(const HostView& host, const std::string& nvml_library = "");

/// Whether the caller may read and write it, by its mode.
bool may_use(const DeviceNode& node, const Caller& caller);

}  // namespace slipway::gpu
