#include "gpu/cdi_spec.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "gpu/mig.h"

namespace slipway::gpu {
namespace {

constexpr const char* kFirstVersion = "0.5.0";  // with it names may begin with a digit
constexpr const char* kGidsVersion = "0.7.0";   // with it there are additionalGids

class Nodes {
 public:
  explicit Nodes(const HostGpuOptions& options) : options_(options) {}

  std::string on_host(const std::string& path) const {
    const std::string& root = options_.driver_folder();
    return root == "/" ? path : root + path;
  }

  /// Nothing where it is no character device.
  std::optional<CdiNode> find(const std::string& path) const {
    struct stat status {};
    if (stat(on_host(path).c_str(), &status) != 0 || !S_ISCHR(status.st_mode)) return std::nullopt;
    return CdiNode{path,
                   on_host(path),
                   major(status.st_rdev),
                   minor(status.st_rdev),
                   status.st_mode & 07777U,
                   status.st_gid};
  }

  /// Of the kernel's graphics interface: they belong to the PCI device.
  std::vector<std::string> graphics_nodes(const Gpu& gpu) const {
    const std::string folder = fmt::format("/sys/bus/pci/devices/{}/drm", gpu.pci_slot);
    const auto names = list_folder(options_.root == "/" ? folder : options_.root + folder);
    std::vector<std::string> paths;
    if (gpu.pci_slot.empty() || !names.ok()) return paths;
    for (const std::string& name : *names) paths.push_back("/dev/dri/" + name);
    return paths;
  }

 private:
  const HostGpuOptions& options_;
};

void add_node(const CdiNode& node, CdiEdits& edits) {
  edits.nodes.push_back(node);
  const bool is_open = (node.mode & 06U) == 06U;
  if (node.gid != 0 && !is_open) edits.additional_gids.push_back(node.gid);
}

void tidy(CdiEdits& edits) {
  const auto by_path = [](const CdiNode& a, const CdiNode& b) { return a.path < b.path; };
  std::sort(edits.nodes.begin(), edits.nodes.end(), by_path);
  edits.nodes.erase(std::unique(edits.nodes.begin(), edits.nodes.end()), edits.nodes.end());
  auto& gids = edits.additional_gids;
  std::sort(gids.begin(), gids.end());
  gids.erase(std::unique(gids.begin(), gids.end()), gids.end());
}

/// Without one of `needed` a program could not use it: nothing then.
std::optional<CdiEdits> edits_of(const std::vector<std::string>& needed,
                                 const std::vector<std::string>& others, const Nodes& nodes) {
  CdiEdits edits;
  for (const std::string& path : needed) {
    const auto node = nodes.find(path);
    if (!node) return std::nullopt;
    add_node(*node, edits);
  }
  for (const std::string& path : others) {
    if (const auto node = nodes.find(path)) add_node(*node, edits);
  }
  tidy(edits);
  return edits;
}

class Devices {
 public:
  Devices(CdiSpec& spec, const Nodes& nodes) : spec_(spec), nodes_(nodes) {}

  void add(const Gpu& gpu, std::size_t index) {
    if (gpu.mig_enabled) {
      for (const MigDevice& part : gpu.mig_devices) add_part(gpu, part, index);
      return;
    }
    const std::string node = fmt::format("/dev/nvidia{}", gpu.minor);
    const auto edits = edits_of({node}, nodes_.graphics_nodes(gpu), nodes_);
    if (edits) {
      add_named({fmt::format("{}", index), gpu.uuid}, *edits);
    } else {
      spec_.left_out.push_back(fmt::format("GPU {} ({}): there is no {}", index, gpu.name, node));
    }
  }

  /// All at once.
  void finish() {
    tidy(all_);
    spec_.devices.push_back({"all", all_});
    std::sort(spec_.devices.begin(), spec_.devices.end(),
              [](const CdiDevice& a, const CdiDevice& b) { return a.name < b.name; });
  }

 private:
  void add_part(const Gpu& gpu, const MigDevice& part, std::size_t index) {
    const bool draws = part.profile.find("+gfx") != std::string::npos;
    const std::vector<std::string> needed = mig_nodes(gpu, part);
    const auto edits =
        edits_of(needed, draws ? nodes_.graphics_nodes(gpu) : std::vector<std::string>(), nodes_);
    const std::string name = fmt::format("{}:{}", index, part.index);
    if (edits && part.gpu_instance_cap >= 0 && part.compute_instance_cap >= 0) {
      add_named({name, part.uuid}, *edits);
    } else {
      spec_.left_out.push_back(fmt::format(
          "MIG device {} ({}): its nodes in /dev/nvidia-caps are not known or not there", name,
          part.name));
    }
  }

  void add_named(const std::vector<std::string>& names, const CdiEdits& edits) {
    for (const std::string& name : names) spec_.devices.push_back({name, edits});
    all_.nodes.insert(all_.nodes.end(), edits.nodes.begin(), edits.nodes.end());
    all_.additional_gids.insert(all_.additional_gids.end(), edits.additional_gids.begin(),
                                edits.additional_gids.end());
  }

  CdiSpec& spec_;
  const Nodes& nodes_;
  CdiEdits all_;
};

Error cannot(const std::string& reason) {
  return make_error(ErrorKind::Unsupported, "there is no GPU here for a CDI specification")
      .reason(reason)
      .hint("`slipway doctor` says what mends it");
}

bool uses_gids(const CdiSpec& spec) {
  return !spec.edits.additional_gids.empty() ||
         std::any_of(spec.devices.begin(), spec.devices.end(),
                     [](const CdiDevice& device) { return !device.edits.additional_gids.empty(); });
}

}  // namespace

Result<CdiSpec> make_cdi_spec(const HostGpus& host, const HostGpuOptions& options) {
  if (host.gpus.empty()) return cannot(host.missing);
  if (host.is_wsl) {
    return make_error(ErrorKind::Unsupported,
                      "Slipway makes no CDI specification on WSL2: its driver has no nodes");
  }
  CdiSpec spec;
  spec.kind = "nvidia.com/gpu";
  const Nodes nodes(options);
  Devices devices(spec, nodes);
  for (std::size_t index = 0; index < host.gpus.size(); ++index)
    devices.add(host.gpus[index], index);
  if (spec.devices.empty()) {
    return cannot(spec.left_out.empty() ? "all GPUs are divided (MIG), but none has a MIG device"
                                        : spec.left_out.front());
  }
  devices.finish();
  for (const char* path :
       {"/dev/nvidia-modeset", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidiactl"}) {
    if (const auto node = nodes.find(path)) add_node(*node, spec.edits);
  }
  tidy(spec.edits);
  const CdiFiles files = TRY(find_cdi_files(host, options));
  spec.edits.mounts = files.mounts;
  // Where NVIDIA's own tools look for libcuda; and nothing for its older runtime hook to do.
  spec.edits.environment = {
      fmt::format("NVIDIA_CTK_LIBCUDA_DIR={}", fmt::join(files.library_folders, ":")),
      "NVIDIA_VISIBLE_DEVICES=void"};
  spec.version = uses_gids(spec) ? kGidsVersion : kFirstVersion;
  return spec;
}

}  // namespace slipway::gpu
