#include "gpu/nvml.h"

#include <dlfcn.h>
#include <link.h>

#include <array>
#include <cctype>

#include "base/file.h"
#include "gpu/mig.h"

namespace slipway::gpu {
namespace {

struct PciInfo {  // nvml.h: nvmlPciInfo_t
  std::array<char, 16> legacy_bus_id{};
  unsigned domain = 0, bus = 0, device = 0, pci_device_id = 0, pci_subsystem_id = 0;
  std::array<char, 32> bus_id{};
};

constexpr unsigned kTextBytes = 96;  // nvml.h: NVML_DEVICE_NAME_V2_BUFFER_SIZE, NVML_DEVICE_UUID_V2

}  // namespace

void Nvml::Close::operator()(void* handle) const {
  const auto shutdown = reinterpret_cast<int (*)()>(dlsym(handle, "nvmlShutdown"));
  if (has_started && shutdown != nullptr) shutdown();
  dlclose(handle);
}

int Nvml::start() {
  const int status = ask("nvmlInit_v2");
  handle_.get_deleter().has_started = status == nvml_status::kSuccess;
  return status;
}

void* Nvml::find(const char* name) const { return dlsym(handle_.get(), name); }

std::string Nvml::words(int status) const {
  const auto text = reinterpret_cast<const char* (*)(int)>(find("nvmlErrorString"));
  const char* const said = text != nullptr ? text(status) : nullptr;
  return said != nullptr ? said : fmt::format("NVML error {}", status);
}

Result<void> Nvml::check(const char* name, int status) const {
  if (status == nvml_status::kSuccess) return {};
  if (status == nvml_status::kNoFunction)
    return make_error(ErrorKind::Unsupported, "the driver's NVML has no `{}`", name);
  return make_error(ErrorKind::Unavailable, "{}", words(status));
}

Result<Nvml> Nvml::load(const std::string& library) {
  void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return make_error(ErrorKind::NotFound, "no `{}`", library);
  return Nvml(handle);
}

Result<Nvml> Nvml::open(const std::string& library) {
  Nvml nvml = TRY(load(library));
  TRY(nvml.check("nvmlInit_v2", nvml.start()));
  return nvml;
}

Result<std::string> Nvml::driver_version() const {
  char text[kTextBytes] = {};
  const char* const name = "nvmlSystemGetDriverVersion";
  TRY(check(name, ask(name, static_cast<char*>(text), kTextBytes - 1)));
  return std::string(text);
}

Result<std::string> Nvml::cuda_version() const {
  int version = 0;
  const char* const name = "nvmlSystemGetCudaDriverVersion_v2";
  TRY(check(name, ask(name, &version)));
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

Result<Gpu> Nvml::read_gpu(Device device) const {
  const auto call = [this](const char* name, auto... args) {
    return check(name, ask(name, args...));
  };
  Gpu gpu;
  char text[kTextBytes] = {};
  TRY(call("nvmlDeviceGetName", device, static_cast<char*>(text), kTextBytes - 1));
  gpu.name = text;
  TRY(call("nvmlDeviceGetUUID", device, static_cast<char*>(text), kTextBytes - 1));
  gpu.uuid = text;
  unsigned minor = 0;
  TRY(call("nvmlDeviceGetMinorNumber", device, &minor));
  gpu.minor = static_cast<int>(minor);
  TRY(call("nvmlDeviceGetCudaComputeCapability", device, &gpu.compute_major, &gpu.compute_minor));
  NvmlMemory memory;
  // Chips that share the host's memory (GB10, Jetson) have none of their own: not supported there.
  if (call("nvmlDeviceGetMemoryInfo", device, &memory).ok()) gpu.memory_bytes = memory.total_bytes;
  int brand = 0;
  if (call("nvmlDeviceGetBrand", device, &brand).ok()) gpu.brand = brand;
  gpu.pci_slot = pci_slot(device);
  read_mig(*this, device, gpu);
  return gpu;
}

std::string Nvml::pci_slot(Device device) const {
  PciInfo info;
  if (ask("nvmlDeviceGetPciInfo_v3", device, &info) != nvml_status::kSuccess) return "";
  std::string text(info.bus_id.data());
  // NVML: `00000000:41:00.0`.
  if (text.size() > 12 && text.find(':') == 8 && text.starts_with("0000")) text.erase(0, 4);
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Result<std::vector<Gpu>> Nvml::gpus() const {
  unsigned count = 0;
  TRY(check("nvmlDeviceGetCount_v2", ask("nvmlDeviceGetCount_v2", &count)));
  std::vector<Gpu> gpus;
  std::vector<Device> devices;
  for (unsigned i = 0; i < count; ++i) {
    Device device = nullptr;
    const char* const name = "nvmlDeviceGetHandleByIndex_v2";
    TRY(check(name, ask(name, i, &device)));
    gpus.push_back(TRY(read_gpu(device)));
    devices.push_back(device);
  }
  for (std::size_t one = 0; one < gpus.size(); ++one) {
    for (std::size_t other = 0; other < gpus.size(); ++other) {
      const auto link = one == other ? std::nullopt : peer_link(devices[one], devices[other]);
      if (link) gpus[one].peers[gpus[other].uuid] = *link;
    }
  }
  return gpus;
}

std::optional<PeerLink> Nvml::peer_link(Device one, Device other) const {
  // nvml.h: nvmlGpuP2PCapsIndex_t (0 reading, 2 NVLink), nvmlGpuP2PStatus_t (0 is yes).
  const auto has = [&](unsigned index) -> std::optional<bool> {
    unsigned status = 0;
    if (ask("nvmlDeviceGetP2PStatus", one, other, index, &status) != nvml_status::kSuccess) {
      return std::nullopt;
    }
    return status == 0;
  };
  const std::optional<bool> reads = has(0), has_nvlink = has(2);
  if (!reads || !has_nvlink) return std::nullopt;
  if (!*reads) return PeerLink::Host;
  return *has_nvlink ? PeerLink::NvLink : PeerLink::Pcie;
}

std::string Nvml::folder() const {
  const link_map* map = nullptr;
  if (dlinfo(handle_.get(), RTLD_DI_LINKMAP, &map) != 0 || map == nullptr) return "";
  return parent_path(map->l_name);
}

}  // namespace slipway::gpu
