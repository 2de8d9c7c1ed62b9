#include "gpu/mig.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/file.h"

namespace slipway::gpu {
namespace {

using nvml_status::kSuccess;

constexpr unsigned kTextBytes = 96;  // as in nvml.cc
constexpr std::string_view kMark = " MIG ";

/// False: there is no such part, or it goes away just now.
bool read_part(const Nvml& nvml, Nvml::Device device, MigDevice& part) {
  std::array<char, kTextBytes> text{};
  if (nvml.ask("nvmlDeviceGetUUID", device, text.data(), kTextBytes - 1) != kSuccess) return false;
  part.uuid = text.data();
  if (nvml.ask("nvmlDeviceGetGpuInstanceId", device, &part.gpu_instance) != kSuccess ||
      nvml.ask("nvmlDeviceGetComputeInstanceId", device, &part.compute_instance) != kSuccess)
    return false;
  if (nvml.ask("nvmlDeviceGetName", device, text.data(), kTextBytes - 1) == kSuccess)
    part.name = text.data();
  const std::size_t mark = part.name.rfind(kMark);
  if (mark != std::string::npos) part.profile = part.name.substr(mark + kMark.size());
  NvmlMemory memory;
  if (nvml.ask("nvmlDeviceGetMemoryInfo", device, &memory) == kSuccess)
    part.memory_bytes = memory.total_bytes;
  return true;
}

int find_cap(const std::map<std::string, int>& minors, const std::string& path) {
  const auto found = minors.find(path);
  return found != minors.end() ? found->second : -1;
}

}  // namespace

void read_mig(const Nvml& nvml, Nvml::Device device, Gpu& gpu) {
  unsigned current = 0, pending = 0, most = 0;
  if (nvml.ask("nvmlDeviceGetMigMode", device, &current, &pending) != kSuccess) return;
  gpu.mig_enabled = current == 1;
  if (!gpu.mig_enabled || nvml.ask("nvmlDeviceGetMaxMigDeviceCount", device, &most) != kSuccess)
    return;
  for (unsigned index = 0; index < most; ++index) {
    Nvml::Device handle = nullptr;
    if (nvml.ask("nvmlDeviceGetMigDeviceHandleByIndex", device, index, &handle) != kSuccess)
      continue;
    MigDevice part;
    part.index = index;
    if (read_part(nvml, handle, part)) gpu.mig_devices.push_back(std::move(part));
  }
}

std::map<std::string, int> parse_mig_minors(std::string_view text) {
  std::map<std::string, int> minors;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t space = line.find(' ');
    if (space == 0 || space == std::string_view::npos) continue;
    int minor = 0;
    const char* const end = line.data() + line.size();
    const auto [rest, error] = std::from_chars(line.data() + space + 1, end, minor);
    if (error == std::errc() && rest == end && minor >= 0)
      minors.emplace(line.substr(0, space), minor);
  }
  return minors;
}

void read_mig_capabilities(const std::string& root, std::vector<Gpu>& gpus) {
  const std::string path = "/proc/driver/nvidia-caps/mig-minors";
  const auto text = read_file(root == "/" ? path : root + path);
  if (!text.ok()) return;
  const std::map<std::string, int> minors = parse_mig_minors(*text);
  for (Gpu& gpu : gpus) {
    for (MigDevice& part : gpu.mig_devices) {
      const std::string instance = fmt::format("gpu{}/gi{}", gpu.minor, part.gpu_instance);
      part.gpu_instance_cap = find_cap(minors, instance + "/access");
      part.compute_instance_cap =
          find_cap(minors, fmt::format("{}/ci{}/access", instance, part.compute_instance));
    }
  }
}

std::vector<std::string> mig_nodes(const Gpu& gpu, const MigDevice& part) {
  std::vector<std::string> nodes{fmt::format("/dev/nvidia{}", gpu.minor)};
  for (const int cap : {part.gpu_instance_cap, part.compute_instance_cap}) {
    if (cap >= 0) nodes.push_back(fmt::format("/dev/nvidia-caps/nvidia-cap{}", cap));
  }
  return nodes;
}

}  // namespace slipway::gpu
