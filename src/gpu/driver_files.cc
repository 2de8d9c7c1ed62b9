#include "gpu/driver_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "gpu/driver_library.h"
#include "gpu/elf.h"

namespace slipway::gpu {
namespace {

#if defined(__aarch64__)
constexpr std::string_view kTuple = "aarch64-linux-gnu";
#else
constexpr std::string_view kTuple = "x86_64-linux-gnu";
#endif

std::string below(const std::string& root, std::string_view path) {
  return root == "/" ? std::string(path) : root + std::string(path);
}

std::vector<std::string> library_folders(const std::string& root, const std::string& nvml_folder,
                                         bool is_wsl) {
  std::vector<std::string> folders = driver_library_folders(root, is_wsl);
  if (!is_wsl && !nvml_folder.empty()) folders.insert(folders.begin(), nvml_folder);
  return folders;
}

bool is_regular(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

/// The names to look for in `folder`. Those of a driver are known, so that the folder, of thousands
/// of files, need not be listed; another version is left over from an older driver, and would fail
/// against this kernel module.
Result<std::vector<std::string>> wanted_names(const std::string& folder, const HostGpus& host) {
  std::vector<std::string> names;
  if (host.is_wsl) {
    names = TRY(list_folder(folder));
    std::erase_if(names, [](const auto& name) { return name.find(".so") == std::string::npos; });
    return names;
  }
  for (const DriverLibrary& library : driver_libraries()) {
    if (library.is_for_computing()) names.push_back(library.name + ".so." + host.driver_version);
  }
  return names;
}

void add_link(const std::string& name, const std::string& target, std::set<std::string>& names,
              HostGpus& host) {
  if (names.insert(name).second) host.library_links.push_back({name, target});
}

Result<void> take_library(const std::string& folder, const std::string& name,
                          std::set<std::string>& names, HostGpus& host) {
  const std::string path = join_path(folder, name);
  const std::optional<std::string> known = TRY(read_soname(path));
  if (!known || !names.insert(name).second) return {};
  host.libraries.push_back(path);
  const std::string& soname = *known;
  const std::string stem = name.substr(0, name.find(".so") + 3);
  if (!soname.empty() && soname != name) add_link(soname, name, names, host);
  // Programs that open `libcuda.so` by its development name, as numba and triton do.
  if (stem != name && stem != soname) add_link(stem, soname.empty() ? name : soname, names, host);
  return {};
}

bool is_character_device(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISCHR(status.st_mode);
}

void take_node(const std::string& path, HostGpus& host) {
  if (is_character_device(path)) host.device_nodes.push_back(path);
}

/// Whether it is an ELF file, and no script.
bool is_program(const std::string& path) {
  const auto fd = open_file(path, O_RDONLY | O_CLOEXEC);
  if (!fd.ok()) return false;
  const auto elf = read_elf_file(fd->get());
  return elf.ok() && elf->has_value();
}

}  // namespace

// NVIDIA Container Toolkit, internal/lookup/root; the last two are NixOS and the images of cloud
// hosts.
std::vector<std::string> driver_library_folders(const std::string& root, bool is_wsl) {
  if (is_wsl) return {below(root, "/usr/lib/wsl/lib")};
  std::vector<std::string> folders;
  for (const std::string& path :
       {std::string("/usr/lib64"), fmt::format("/usr/lib/{}", kTuple),
        fmt::format("/usr/lib/{}/nvidia/current", kTuple), std::string("/lib64"),
        fmt::format("/lib/{}", kTuple), std::string("/usr/lib"),
        std::string("/run/opengl-driver/lib"), std::string("/usr/local/nvidia/lib64")})
    folders.push_back(below(root, path));
  return folders;
}

Result<std::optional<std::string>> read_soname(const std::string& path) {
  if (!is_regular(path)) return std::optional<std::string>();
  const UniqueFd fd = TRY(open_file(path, O_RDONLY | O_CLOEXEC));
  const auto facts = read_elf_file(fd.get());
  // Not a library, or for 32-bit programs: nothing that a container of ours could load.
  if (!facts.ok() || !facts.value() || facts.value()->facts.machine != kThisMachine)
    return std::optional<std::string>();
  return std::optional(facts.value()->facts.soname);
}

Result<void> find_driver_libraries(const std::string& root, const std::string& nvml_folder,
                                   HostGpus& host) {
  std::set<std::string> names;
  for (const std::string& folder : library_folders(root, nvml_folder, host.is_wsl)) {
    if (!is_folder(folder)) continue;
    for (const std::string& name : TRY(wanted_names(folder, host))) {
      TRY(take_library(folder, name, names, host));
    }
  }
  std::sort(host.libraries.begin(), host.libraries.end());
  std::sort(host.library_links.begin(), host.library_links.end(),
            [](const DriverLink& a, const DriverLink& b) { return a.name < b.name; });
  return {};
}

Result<void> find_device_nodes(const std::string& root, HostGpus& host) {
  if (host.is_wsl) {
    take_node(below(root, "/dev/dxg"), host);
    return {};
  }
  for (const char* name : {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"})
    take_node(below(root, name), host);
  for (const Gpu& gpu : host.gpus)
    take_node(below(root, fmt::format("/dev/nvidia{}", gpu.minor)), host);
  const std::string caps = below(root, "/dev/nvidia-caps");
  if (is_folder(caps)) {
    for (const std::string& name : TRY(list_folder(caps))) {
      // 1 and 2 may change and watch the partitioning (/proc/driver/nvidia-caps/mig-minors: config,
      // monitor): for administrators, not for containers.
      if (name != "nvidia-cap1" && name != "nvidia-cap2") take_node(join_path(caps, name), host);
    }
  }
  std::sort(host.device_nodes.begin(), host.device_nodes.end());
  return {};
}

void find_nvidia_smi(const std::string& root, HostGpus& host) {
  for (const char* path :
       {"/usr/bin/nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi", "/bin/nvidia-smi",
        "/usr/local/nvidia/bin/nvidia-smi", "/run/current-system/sw/bin/nvidia-smi"}) {
    // Clouds have scripts of that name, which lead to places that a container does not have.
    if (!host.nvidia_smi.empty() || !is_program(below(root, path))) continue;
    host.nvidia_smi = below(root, path);
  }
}

// NVIDIA Container Toolkit, pkg/nvcdi: the programs of the driver, in the first folder that has
// one.
void find_programs(const std::string& root, HostGpus& host) {
  for (const char* name : {"nvidia-cuda-mps-control", "nvidia-cuda-mps-server", "nvidia-debugdump",
                           "nvidia-imex", "nvidia-imex-ctl", "nvidia-persistenced", "nvidia-smi"}) {
    for (const char* folder :
         {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}) {
      const std::string path = below(root, join_path(folder, name));
      struct stat status {};
      if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
      if ((status.st_mode & 0111U) == 0) continue;
      host.programs.push_back(path);
      break;
    }
  }
}

void find_sockets(const std::string& root, HostGpus& host) {
  for (const char* name : {"nvidia-fabricmanager/socket", "nvidia-persistenced/socket"}) {
    for (const char* folder : {"/run", "/var/run"}) {
      const std::string path = below(root, join_path(folder, name));
      struct stat status {};
      if (stat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) continue;
      host.sockets.push_back(path);
      break;
    }
  }
}

// NVIDIA Container Toolkit, pkg/nvcdi/driver-wsl.go, which asks libdxcore for the folders.
void find_driver_stores(const std::string& root, HostGpus& host) {
  if (!host.is_wsl) return;
  const std::string folder = below(root, "/usr/lib/wsl/drivers");
  const Result<std::vector<std::string>> names = list_folder(folder);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    const std::string path = join_path(folder, name);
    if (is_regular(join_path(path, "libcuda.so.1.1"))) host.stores.push_back(path);
  }
}

}  // namespace slipway::gpu
