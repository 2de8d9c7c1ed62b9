#include "gpu/nvml.h"

#include <dlfcn.h>
#include <link.h>

#include "base/file.h"

namespace slipway::gpu {
namespace {

constexpr int kSuccess = 0;          // nvml.h: NVML_SUCCESS
constexpr unsigned kTextBytes = 96;  // nvml.h: NVML_DEVICE_NAME_V2_BUFFER_SIZE, NVML_DEVICE_UUID_V2
using Device = void*;

struct Memory {  // nvml.h: nvmlMemory_t
  unsigned long long total_bytes = 0, free_bytes = 0, used_bytes = 0;
};

template <typename Function>
Function* find_symbol(void* handle, const char* name) {
  return reinterpret_cast<Function*>(dlsym(handle, name));
}

std::string describe(void* handle, int status) {
  const auto text = find_symbol<const char*(int)>(handle, "nvmlErrorString");
  const char* const words = text != nullptr ? text(status) : nullptr;
  return words != nullptr ? words : fmt::format("NVML error {}", status);
}

}  // namespace

void Nvml::Close::operator()(void* handle) const {
  if (const auto shutdown = find_symbol<int()>(handle, "nvmlShutdown")) shutdown();
  dlclose(handle);
}

template <typename... Args>
Result<void> Nvml::call(const char* name, Args... args) const {
  const auto function = find_symbol<int(Args...)>(handle_.get(), name);
  if (function == nullptr)
    return make_error(ErrorKind::Unsupported, "the driver's NVML has no `{}`", name);
  const int status = function(args...);
  if (status == kSuccess) return {};
  return make_error(ErrorKind::Unavailable, "{}", describe(handle_.get(), status));
}

Result<Nvml> Nvml::open(const std::string& library) {
  void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return make_error(ErrorKind::NotFound, "no `{}`", library);
  Nvml nvml(handle);
  TRY(nvml.call("nvmlInit_v2"));
  return nvml;
}

Result<std::string> Nvml::driver_version() const {
  char text[kTextBytes] = {};
  TRY(call("nvmlSystemGetDriverVersion", static_cast<char*>(text), kTextBytes - 1));
  return std::string(text);
}

Result<std::string> Nvml::cuda_version() const {
  int version = 0;
  TRY(call("nvmlSystemGetCudaDriverVersion_v2", &version));
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

Result<Gpu> Nvml::read_gpu(unsigned index) const {
  Device device = nullptr;
  TRY(call("nvmlDeviceGetHandleByIndex_v2", index, &device));
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
  Memory memory;
  // Chips that share the host's memory (GB10, Jetson) have none of their own: not supported there.
  if (call("nvmlDeviceGetMemoryInfo", device, &memory).ok()) gpu.memory_bytes = memory.total_bytes;
  return gpu;
}

Result<std::vector<Gpu>> Nvml::gpus() const {
  unsigned count = 0;
  TRY(call("nvmlDeviceGetCount_v2", &count));
  std::vector<Gpu> gpus;
  for (unsigned i = 0; i < count; ++i) gpus.push_back(TRY(read_gpu(i)));
  return gpus;
}

std::string Nvml::folder() const {
  const link_map* map = nullptr;
  if (dlinfo(handle_.get(), RTLD_DI_LINKMAP, &map) != 0 || map == nullptr) return "";
  return parent_path(map->l_name);
}

}  // namespace slipway::gpu
