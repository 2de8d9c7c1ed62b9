#include "gpu/host.h"

#include <algorithm>

#include "base/file.h"
#include "gpu/driver_files.h"
#include "gpu/mig.h"
#include "gpu/nvml.h"

namespace slipway::gpu {
namespace {

std::string below(const std::string& root, std::string_view path) {
  return root == "/" ? std::string(path) : root + std::string(path);
}

std::string path_in(const HostGpuOptions& options, std::string_view path) {
  return below(options.driver_folder(), path);
}

bool has_node(const HostGpus& host, std::string_view end) {
  return std::any_of(host.device_nodes.begin(), host.device_nodes.end(),
                     [&](const std::string& node) { return node.ends_with(end); });
}

/// NVML could not be opened or started: what that means on this host.
std::string explain_no_driver(const Error& why, const HostGpuOptions& options) {
  const bool has_kernel_driver = path_exists(path_in(options, "/dev/nvidiactl")) ||
                                 path_exists(below(options.root, "/proc/driver/nvidia/version"));
  if (why.kind != ErrorKind::NotFound)
    return fmt::format("the NVIDIA driver does not start: {}", why.message);
  if (has_kernel_driver)
    return "the NVIDIA kernel driver is loaded, but its library libnvidia-ml.so.1 is not installed";
  return "this host has no NVIDIA driver: there is no libnvidia-ml.so.1 and no /dev/nvidiactl";
}

std::string explain_missing_files(const HostGpus& host) {
  if (host.gpus.empty())
    return fmt::format("the NVIDIA driver {} sees no GPU", host.driver_version);
  std::vector<std::string> lost;
  if (host.is_wsl && !has_node(host, "/dev/dxg")) lost.emplace_back("/dev/dxg");
  if (!host.is_wsl) {
    for (const char* name : {"/dev/nvidiactl", "/dev/nvidia-uvm"}) {
      if (!has_node(host, name)) lost.emplace_back(name);
    }
    for (const Gpu& gpu : host.gpus) {
      const std::string node = fmt::format("/dev/nvidia{}", gpu.minor);
      if (!has_node(host, node)) lost.push_back(fmt::format("{} of {}", node, gpu.name));
    }
  }
  const bool has_cuda = std::any_of(
      host.libraries.begin(), host.libraries.end(),
      [](const std::string& path) { return base_name(path).starts_with("libcuda.so"); });
  if (!has_cuda)
    lost.push_back(host.is_wsl
                       ? std::string("the driver's library libcuda.so.1")
                       : fmt::format("the driver's library libcuda.so.{}", host.driver_version));
  if (host.is_wsl && host.stores.empty())
    lost.emplace_back("the Windows driver's libcuda.so.1.1 in /usr/lib/wsl/drivers");
  if (lost.empty()) return "";
  std::string text =
      fmt::format("the NVIDIA driver {} is there, but {} {} missing", host.driver_version,
                  fmt::join(lost, ", "), lost.size() == 1 ? "is" : "are");
  // The node appears when the module is loaded; this program comes with the driver for that.
  if (!host.is_wsl && !has_node(host, "/dev/nvidia-uvm"))
    text += "; `nvidia-modprobe -u -c=0` as root makes /dev/nvidia-uvm";
  return text;
}

/// Everything that NVML says; an Error here is about the driver, not about this program.
Result<std::string> ask_nvml(const std::string& library, HostGpus& host) {
  const Nvml nvml = TRY(Nvml::open(library));
  host.driver_version = TRY(nvml.driver_version());
  if (auto cuda = nvml.cuda_version(); cuda.ok()) host.cuda_version = *cuda;
  host.gpus = TRY(nvml.gpus());
  host.driver_found = true;
  return nvml.folder();
}

}  // namespace

std::string find_nvml_library(const HostGpuOptions& options) {
  constexpr const char* kName = "libnvidia-ml.so.1";
  if (!options.nvml_library.empty()) return options.nvml_library;
  const bool is_wsl = path_exists(path_in(options, "/dev/dxg"));
  // Some clouds mount the driver where the loader does not look.
  const std::string& root = options.driver_folder();
  if (root == "/" && !is_wsl && Nvml::load(kName).ok()) return kName;
  const auto folders = driver_library_folders(root, is_wsl);
  for (const std::string& folder : folders) {
    if (path_exists(join_path(folder, kName))) return join_path(folder, kName);
  }
  return root == "/" && !is_wsl ? kName : join_path(folders.front(), kName);
}

std::optional<PeerLink> weakest_link(const std::vector<Gpu>& gpus) {
  std::optional<PeerLink> weakest;
  for (const Gpu& one : gpus) {
    for (const Gpu& other : gpus) {
      if (one.uuid == other.uuid) continue;
      const auto found = one.peers.find(other.uuid);
      if (found == one.peers.end()) return std::nullopt;
      weakest = weakest ? std::min(*weakest, found->second) : found->second;
    }
  }
  return weakest;
}

Result<HostGpus> read_host_gpus(const HostGpuOptions& options) {
  HostGpus host;
  host.is_wsl = path_exists(path_in(options, "/dev/dxg"));
  const auto folder = ask_nvml(find_nvml_library(options), host);
  if (!folder.ok()) {
    HostGpus none;
    none.is_wsl = host.is_wsl;
    none.missing = explain_no_driver(folder.error(), options);
    return none;
  }
  // A library that was named by the caller says nothing about where the driver's files are.
  const std::string driver_folder = options.nvml_library.empty() ? *folder : std::string();
  const std::string& root = options.driver_folder();
  TRY(find_driver_libraries(root, driver_folder, host));
  TRY(find_device_nodes(root, host));
  find_nvidia_smi(root, host);
  find_programs(root, host);
  find_sockets(root, host);
  find_driver_stores(root, host);
  read_mig_capabilities(options.root, host.gpus);
  host.missing = explain_missing_files(host);
  return host;
}

}  // namespace slipway::gpu
