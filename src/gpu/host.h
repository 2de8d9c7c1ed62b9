/// The GPUs of this host, and the driver files that a container needs to use them.
///
/// Facts come from NVML (the driver's libnvidia-ml.so.1, opened at run time: nothing of NVIDIA's is
/// needed to build or to start Slipway) and from the file system. Which files count is NVIDIA's own
/// choice for the capabilities `compute` and `utility`, as libnvidia-container lists them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace slipway::gpu {

/// How two GPUs reach each other's memory, better last; Host: only by way of the host's.
enum class PeerLink { Host, Pcie, NvLink };

/// A part of a GPU that is divided (MIG). It is used through three nodes alone: the GPU's own and
/// two of capabilities (mig.h).
struct MigDevice {
  unsigned index = 0;   ///< NVML's within the GPU, with gaps: the 1 of `0:1`
  std::string uuid;     ///< `MIG-…`
  std::string name;     ///< `NVIDIA A100-SXM4-40GB MIG 1g.5gb`
  std::string profile;  ///< `1g.5gb`; empty where the name says none
  unsigned gpu_instance = 0;
  unsigned compute_instance = 0;
  std::uint64_t memory_bytes = 0;
  /// N of /dev/nvidia-caps/nvidia-capN; -1: not known.
  int gpu_instance_cap = -1;
  int compute_instance_cap = -1;

  bool operator==(const MigDevice&) const = default;
};

struct Gpu {
  std::string name;       ///< `NVIDIA H100 80GB HBM3`
  std::string uuid;       ///< `GPU-…`: safe to hand to CUDA_VISIBLE_DEVICES, unlike an index
  int minor = 0;          ///< N of /dev/nvidiaN; not the index
  int compute_major = 0;  ///< 9 of compute capability 9.0
  int compute_minor = 0;
  std::uint64_t memory_bytes = 0;
  std::string pci_slot = {};  ///< `0000:41:00.0`, as in /sys/bus/pci/devices; empty: not known
  bool mig_enabled = false;   ///< then nothing but its MIG devices can be used
  std::vector<MigDevice> mig_devices = {};
  std::map<std::string, PeerLink> peers = {};  ///< by the other GPU's UUID; none: not known
  int brand = 0;  ///< nvml.h, nvmlBrandType_t: 2 Tesla, 5 GeForce, …; 0: not known

  bool operator==(const Gpu&) const = default;
};

/// A name that the loader looks for, beside the file it leads to: `libcuda.so.1` ->
/// `libcuda.so.570.86.15`. Both are bare names in one folder.
struct DriverLink {
  std::string name;
  std::string target;
  bool operator==(const DriverLink&) const = default;
};

struct HostGpus {
  bool driver_found = false;   ///< NVML could be opened and answers
  bool is_wsl = false;         ///< WSL2: one /dev/dxg, the driver's files in /usr/lib/wsl/lib
  std::string driver_version;  ///< `570.86.15`
  std::string cuda_version;    ///< the newest CUDA this driver knows: `12.8`
  std::vector<Gpu> gpus;       ///< in NVML's order
  std::vector<std::string> device_nodes;  ///< host paths of nodes that exist, sorted
  std::vector<std::string> libraries;     ///< host paths of the real files, no links, sorted
  std::vector<DriverLink> library_links;  ///< the links that a folder of those files needs, sorted
  std::string nvidia_smi;                 ///< host path; empty where there is none
  std::vector<std::string> programs;      ///< host paths of the driver's other programs too
  std::vector<std::string> stores;   ///< WSL2: folders of the Windows driver that libcuda opens
  std::vector<std::string> sockets;  ///< of its services: persistenced, fabricmanager
  /// Why `--gpus all` cannot work here, in plain words; empty when it can.
  std::string missing;

  bool operator==(const HostGpus&) const = default;
};

struct HostGpuOptions {
  std::string root = "/";  ///< where the driver's files and /dev are looked for
  /// Path of libnvidia-ml.so.1. When empty: by the loader's rules (not with a root of one's own),
  /// then in the usual folders below the root.
  std::string nvml_library;
  /// The folder in which the driver is installed as if it were a root, with a /dev of its own: that
  /// of a driver container, `/run/nvidia/driver`. Empty: `root`. /proc and /sys are those of
  /// `root`.
  std::string driver_root = {};

  const std::string& driver_folder() const { return driver_root.empty() ? root : driver_root; }
};

/// The weakest link between any two of them; nothing where one is not known, or there is one GPU.
std::optional<PeerLink> weakest_link(const std::vector<Gpu>& gpus);

/// What `dlopen` is to be given for these options; whether it is there shows only then.
std::string find_nvml_library(const HostGpuOptions& options);

/// A host without a GPU or driver is no error: `missing` says so. Blocks while NVML starts (some
/// milliseconds; seconds where the driver is not kept loaded). Fails with Io only.
Result<HostGpus> read_host_gpus(const HostGpuOptions& options = {});

}  // namespace slipway::gpu
