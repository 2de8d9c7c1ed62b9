/// The driver's files on this host: libraries for compute and utility, nodes, nvidia-smi.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "gpu/host.h"

namespace slipway::gpu {

/// Where distributions put the driver's libraries, below `root`, the likeliest first.
std::vector<std::string> driver_library_folders(const std::string& root, bool is_wsl);

/// Fills `libraries` and `library_links`: files of the driver `host.driver_version` in the usual
/// folders below `root` (and in `nvml_folder`, a real path, first). On WSL2 all of
/// /usr/lib/wsl/lib.
Result<void> find_driver_libraries(const std::string& root, const std::string& nvml_folder,
                                   HostGpus& host);

/// The SONAME of a library for programs of this machine (empty: it has none); nothing where the
/// file is a link, or no such library.
Result<std::optional<std::string>> read_soname(const std::string& path);

/// Fills `device_nodes` with the character devices that exist, for `host.gpus`.
Result<void> find_device_nodes(const std::string& root, HostGpus& host);

/// Fills `nvidia_smi` with the program itself, where there is one.
void find_nvidia_smi(const std::string& root, HostGpus& host);

/// Fills `programs`: those that the driver's services and tools consist of, each once.
void find_programs(const std::string& root, HostGpus& host);

/// Fills `sockets`: through them a container's programs speak to the host's persistence daemon and
/// fabric manager. Only sockets count.
void find_sockets(const std::string& root, HostGpus& host);

/// Fills `stores` on WSL2. Windows shares all folders of its drivers, old ones too, and only its
/// kernel knows which is in use: every one that holds NVIDIA's libcuda.
void find_driver_stores(const std::string& root, HostGpus& host);

}  // namespace slipway::gpu
