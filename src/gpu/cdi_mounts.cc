#include "gpu/cdi_mounts.h"

#include <fnmatch.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <set>
#include <span>

#include "base/file.h"
#include "gpu/cdi_libraries.h"

namespace slipway::gpu {
namespace {

using Names = std::span<const char* const>;

// Of X.Org: found by its own search, at the paths of the host.
constexpr std::array kXorgFolders{"/usr/lib/xorg/modules/drivers",
                                  "/usr/lib/xorg/modules/extensions",
                                  "/usr/lib/xorg/modules/updates/drivers",
                                  "/usr/lib/xorg/modules/updates/extensions",
                                  "/usr/lib64/xorg/modules/drivers",
                                  "/usr/lib64/xorg/modules/extensions",
                                  "/usr/lib64/xorg/modules/updates/drivers",
                                  "/usr/lib64/xorg/modules/updates/extensions",
                                  "/usr/X11R6/lib/modules/drivers",
                                  "/usr/X11R6/lib/modules/extensions",
                                  "/usr/X11R6/lib/modules/updates/drivers",
                                  "/usr/X11R6/lib/modules/updates/extensions",
                                  "/usr/X11R6/lib64/modules/drivers",
                                  "/usr/X11R6/lib64/modules/extensions",
                                  "/usr/X11R6/lib64/modules/updates/drivers",
                                  "/usr/X11R6/lib64/modules/updates/extensions"};
constexpr std::array kXorgFoldersOfLibraries{
    "nvidia/xorg", "xorg/modules/drivers", "xorg/modules/extensions",
    "xorg/modules/updates/drivers", "xorg/modules/updates/extensions"};

// Configurations, by where the container has them. They may stand in /etc or in a share folder.
constexpr std::array kShared{"glvnd/egl_vendor.d/10_nvidia.json",
                             "egl/egl_external_platform.d/15_nvidia_gbm.json",
                             "egl/egl_external_platform.d/10_nvidia_wayland.json",
                             "egl/egl_external_platform.d/09_nvidia_wayland2.json",
                             "egl/egl_external_platform.d/20_nvidia_xcb.json",
                             "egl/egl_external_platform.d/20_nvidia_xlib.json",
                             "nvidia/nvoptix.bin",
                             "X11/xorg.conf.d/10-nvidia.conf",
                             "X11/xorg.conf.d/nvidia-drm-outputclass.conf"};
#if defined(__aarch64__)
constexpr const char* kVulkanDriver = "vulkan/icd.d/nvidia_icd.aarch64.json";
#else
constexpr const char* kVulkanDriver = "vulkan/icd.d/nvidia_icd.x86_64.json";
#endif
constexpr std::array kOfEtc{"OpenCL/vendors/nvidia.icd", "vulkan/icd.d/nvidia_icd.json",
                            "vulkan/icd.d/nvidia_layers.json",
                            "vulkan/implicit_layer.d/nvidia_layers.json", kVulkanDriver};
constexpr std::array kConfigurationFolders{"/etc", "/usr/local/share", "/usr/share"};

/// Collects mounts below one root; the first that a container path gets is the one.
class Finder {
 public:
  Finder(std::string root, std::string version)
      : root_(root == "/" ? std::string() : std::move(root)), version_(std::move(version)) {}

  std::string on_host(std::string_view path) const { return root_ + std::string(path); }
  std::string in_container(const std::string& path) const {
    return path.starts_with(root_) ? path.substr(root_.size()) : path;
  }

  void add(const std::string& path, const std::string& container_path,
           CdiMount::Kind kind = CdiMount::Kind::File) {
    if (seen_.insert(container_path).second) mounts_.push_back({path, container_path, kind});
  }

  /// What is at its place inside as on the host.
  bool add_file(const std::string& inside) {
    struct stat status {};
    if (stat(on_host(inside).c_str(), &status) != 0 || S_ISDIR(status.st_mode)) return false;
    add(on_host(inside), inside);
    return true;
  }

  Result<void> add_matches(const std::string& inside, const char* pattern) {
    if (!is_folder(on_host(inside))) return {};
    for (const std::string& name : TRY(list_folder(on_host(inside)))) {
      if (fnmatch(pattern, name.c_str(), FNM_PERIOD) == 0) add_file(join_path(inside, name));
    }
    return {};
  }

  void add_xorg(const std::vector<std::string>& library_folders) {
    for (const std::string& name :
         {std::string("nvidia_drv.so"), "libglxserver_nvidia.so." + version_}) {
      std::vector<std::string> folders;
      for (const std::string& folder : library_folders) {
        for (const char* part : kXorgFoldersOfLibraries) folders.push_back(join_path(folder, part));
      }
      folders.insert(folders.end(), kXorgFolders.begin(), kXorgFolders.end());
      for (const std::string& folder : folders) {
        if (add_file(join_path(folder, name))) break;
      }
    }
  }

  void add_configurations(Names names, const char* container_folder) {
    for (const char* name : names) {
      for (const char* folder : kConfigurationFolders) {
        const std::string path = on_host(join_path(folder, name));
        if (!path_exists(path)) continue;
        add(path, join_path(container_folder, name));
        break;
      }
    }
  }

  /// Of the GPU's own processor: tools look at it, the kernel of the host has loaded it.
  Result<void> add_firmware() {
    utsname kernel{};
    ::uname(&kernel);
    const std::string custom = "/sys/module/firmware_class/parameters/path";
    std::vector<std::string> folders;
    if (const auto text = read_file(custom); text.ok()) {
      const std::size_t end = text->find_last_not_of(" \n");
      if (end != std::string::npos) folders.push_back(text->substr(0, end + 1));
    }
    for (const char* folder : {"/lib/firmware/updates", "/lib/firmware"}) {
      folders.push_back(fmt::format("{}/{}", folder, kernel.release));
      folders.emplace_back(folder);
    }
    for (const std::string& folder : folders) {
      for (const char* pattern : {"gsp*.bin", "ucodes*.bin"})
        TRY(add_matches(fmt::format("{}/nvidia/{}", folder, version_), pattern));
    }
    return {};
  }

  std::vector<CdiMount> take() {
    std::sort(mounts_.begin(), mounts_.end(), [](const CdiMount& a, const CdiMount& b) {
      return a.container_path < b.container_path;
    });
    return std::move(mounts_);
  }

 private:
  std::string root_, version_;
  std::vector<CdiMount> mounts_;
  std::set<std::string> seen_;
};

}  // namespace

Result<CdiFiles> find_cdi_files(const HostGpus& host, const HostGpuOptions& options) {
  CdiFiles files;
  Finder finder(options.driver_folder(), host.driver_version);
  const std::vector<CdiLibrary> libraries = TRY(find_cdi_libraries(host, options.driver_folder()));
  for (const CdiLibrary& library : libraries) {
    const std::string path = finder.in_container(library.path);
    finder.add(library.path, path);
    for (const std::string& name : library.names)
      finder.add(library.path, join_path(parent_path(path), name));
    const std::string folder = finder.in_container(library.search_folder);
    if (std::find(files.library_folders.begin(), files.library_folders.end(), folder) ==
        files.library_folders.end())
      files.library_folders.push_back(folder);
  }
  finder.add_xorg(files.library_folders);
  TRY(finder.add_firmware());
  finder.add_configurations(kShared, "/usr/share");
  finder.add_configurations(kOfEtc, "/etc");
  for (const std::string& path : host.programs) finder.add(path, finder.in_container(path));
  for (const char* folder : {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"}) {
    if (finder.add_file(join_path(folder, "nvidia-xconfig"))) break;
  }
  for (const std::string& path : host.sockets)
    finder.add(path, finder.in_container(path), CdiMount::Kind::Socket);
  // The pipes of the Multi-Process Service.
  if (const std::string mps = finder.on_host("/tmp/nvidia-mps"); path_exists(mps))
    finder.add(mps, "/tmp/nvidia-mps", CdiMount::Kind::Socket);
  files.mounts = finder.take();
  return files;
}

}  // namespace slipway::gpu
