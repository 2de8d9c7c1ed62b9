#include "gpu/driver_state.h"

#include <grp.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"

namespace slipway::gpu {
namespace {

constexpr std::string_view kPciFolder = "/sys/bus/pci/devices";

/// Class 0x03: display controllers; NVIDIA's audio and USB functions are others.
std::vector<PciGpu> read_pci(const HostView& host) {
  std::vector<PciGpu> found;
  for (const std::string& slot : host.names(kPciFolder)) {
    const std::string folder = join_path(kPciFolder, slot);
    if (host.text(folder + "/vendor") != "0x10de") continue;
    if (!host.text(folder + "/class").starts_with("0x03")) continue;
    std::string device = host.text(folder + "/device");
    if (device.starts_with("0x")) device.erase(0, 2);
    found.push_back({slot, "10de:" + device, host.link_name(folder + "/driver")});
  }
  return found;
}

/// `NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build …`, and older
/// `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.54.03  Tue …`: the first word of digits and
/// dots that has a dot.
std::string version_in(std::string_view line) {
  line = line.substr(0, line.find('\n'));
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    if (word.find('.') != std::string_view::npos &&
        word.find_first_not_of("0123456789.") == std::string_view::npos) {
      return std::string(word);
    }
  }
  return {};
}

void read_module(const HostView& host, DriverState& state) {
  const std::string version = host.text("/proc/driver/nvidia/version");
  state.module_version = version_in(version);
  state.is_open_module = version.find("Open Kernel Module") != std::string::npos;
  state.module_loaded = !version.empty() || host.has("/sys/module/nvidia");
  if (state.module_version.empty()) state.module_version = host.text("/sys/module/nvidia/version");
  state.uvm_loaded = host.has("/sys/module/nvidia_uvm");
  state.nouveau_loaded = host.has("/sys/module/nouveau");
  state.kernel_release = host.text("/proc/sys/kernel/osrelease");
  for (const char* folder : {"/lib/modules/", "/usr/lib/modules/"}) {
    const std::string list = host.text(folder + state.kernel_release + "/modules.dep");
    state.module_installed = state.module_installed || list.find("/nvidia.ko") != std::string::npos;
  }
}

/// `libnvidia-ml.so.1` is a link to `libnvidia-ml.so.570.86.15`.
std::string version_of_library(const std::string& path) {
  constexpr std::string_view kStem = "libnvidia-ml.so.";
  const std::string name = base_name(real_path(path));
  if (!name.starts_with(kStem) || name == "libnvidia-ml.so.1") return {};
  return name.substr(kStem.size());
}

void ask_nvml(Nvml& nvml, const std::string& library, DriverState& state) {
  state.library_found = true;
  state.library_version = version_of_library(
      library.find('/') == std::string::npos ? join_path(nvml.folder(), library) : library);
  state.nvml_status = nvml.start();
  if (state.nvml_status != nvml_status::kSuccess) {
    state.nvml_words = nvml.words(state.nvml_status);
    return;
  }
  state.gpus = read_gpu_states(nvml);
}

void ask_cuda(DriverState& state) {
  if (state.gpus.empty()) return;
  for (const std::string& library : state.host.libraries) {
    if (base_name(library).starts_with("libcuda.so")) state.cuda = probe_cuda(library);
  }
}

DeviceNode read_node(const HostView& host, const std::string& path) {
  DeviceNode node;
  node.path = path;
  struct stat status {};
  if (::stat(host.at(path).c_str(), &status) != 0) return node;
  node.exists = true;
  node.is_device = S_ISCHR(status.st_mode);
  node.mode = status.st_mode & 0777;
  node.uid = status.st_uid;
  node.gid = status.st_gid;
  const group* const entry = ::getgrgid(status.st_gid);
  node.group = entry != nullptr ? entry->gr_name : fmt::format("{}", status.st_gid);
  return node;
}

void read_nodes(const HostView& host, DriverState& state) {
  const std::vector<std::string> no_names;
  std::vector<std::string> paths;
  if (state.is_wsl) {
    paths = {"/dev/dxg"};
  } else if (state.module_loaded || !state.gpus.empty()) {
    paths = {"/dev/nvidiactl", "/dev/nvidia-uvm"};
    for (const GpuState& gpu : state.gpus) {
      if (gpu.status == nvml_status::kSuccess)
        paths.push_back(fmt::format("/dev/nvidia{}", gpu.gpu.minor));
    }
    // NVML may not answer because of their modes.
    for (const std::string& name : state.gpus.empty() ? host.names("/dev") : no_names) {
      if (name.starts_with("nvidia") && name.size() > 6 &&
          name.find_first_not_of("0123456789", 6) == std::string::npos)
        paths.push_back("/dev/" + name);
    }
  }
  for (const std::string& path : paths) state.nodes.push_back(read_node(host, path));
}

}  // namespace

Result<DriverState> read_driver_state(const HostView& host, const std::string& nvml_library) {
  DriverState state;
  state.pci = read_pci(host);
  state.is_wsl = host.has("/dev/dxg");
  read_module(host, state);
  const HostGpuOptions options{host.root, nvml_library};
  {
    const std::string library = find_nvml_library(options);
    // Kept open, so that NVML, which may take seconds to start, starts once.
    Result<Nvml> nvml = Nvml::load(library);
    if (nvml.ok()) ask_nvml(*nvml, library, state);
    state.host = TRY(read_host_gpus(options));
  }
  ask_cuda(state);
  read_nodes(host, state);
  state.xids = read_xids(host);
  state.distribution = read_distribution(host);
  return state;
}

bool may_use(const DeviceNode& node, const Caller& caller) {
  if (caller.uid == 0) return true;
  const auto allows = [&](unsigned shift) { return ((node.mode >> shift) & 06U) == 06U; };
  if (node.uid == caller.uid) return allows(6);
  const bool is_member =
      node.gid == caller.gid ||
      std::find(caller.groups.begin(), caller.groups.end(), node.gid) != caller.groups.end();
  return allows(is_member ? 3 : 0);
}

}  // namespace slipway::gpu
