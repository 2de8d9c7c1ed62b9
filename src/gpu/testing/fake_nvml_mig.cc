// The parts of a divided GPU. A part is its GPU instance and its compute instance at once, and all
// have the profile of one slice: NVIDIA's Container Toolkit asks for as much.
#include <cstring>

#include "gpu/testing/fake_nvml.h"

using namespace fake;

namespace {

constexpr unsigned kOneSlice = 0;           // nvml.h: NVML_GPU_INSTANCE_PROFILE_1_SLICE
constexpr unsigned kOneSliceGraphics = 10;  // nvml.h: NVML_GPU_INSTANCE_PROFILE_1_SLICE_GFX

struct InstanceInfo {  // nvml.h: nvmlGpuInstanceInfo_t
  Device* device;
  unsigned id, profile, start, size;
};

struct ComputeInstanceInfo {  // nvml.h: nvmlComputeInstanceInfo_t
  Device* device;
  Device* instance;
  unsigned id, profile, start, size;
};

struct Attributes {  // nvml.h: nvmlDeviceAttributes_t
  std::array<unsigned, 8> counts;
  unsigned long long memory_mebibytes;
};

unsigned profile_of(const Device& part) {
  return std::strstr(part.name.data(), "+gfx") != nullptr ? kOneSliceGraphics : kOneSlice;
}

}  // namespace

EXPORT int nvmlDeviceGetMigMode(Device* device, unsigned* current, unsigned* pending) {
  if (device->mig < 0) return kNotSupported;
  *current = static_cast<unsigned>(device->mig);
  return *pending = static_cast<unsigned>(device->mig_pending), 0;
}
EXPORT int nvmlDeviceGetMaxMigDeviceCount(Device*, unsigned* count) { return *count = 7, 0; }
EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(Device* device, unsigned index, Device** part) {
  if (is_without("nvmlDeviceGetMigDeviceHandleByIndex")) return kFunctionNotFound;
  if (index >= device->parts.size() || device->parts[index] == nullptr) return kNotFound;
  *part = device->parts[index];
  return 0;
}
EXPORT int nvmlDeviceIsMigDeviceHandle(Device* device, unsigned* is_part) {
  return *is_part = device->parent != nullptr ? 1 : 0, 0;
}
EXPORT int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(Device* part, Device** device) {
  return *device = part->parent, part->parent != nullptr ? 0 : kNotFound;
}
EXPORT int nvmlDeviceGetGpuInstanceId(Device* part, unsigned* id) {
  return *id = part->gpu_instance, part->parent != nullptr ? 0 : kNotSupported;
}
EXPORT int nvmlDeviceGetComputeInstanceId(Device* part, unsigned* id) {
  return *id = part->compute_instance, part->parent != nullptr ? 0 : kNotSupported;
}

EXPORT int nvmlDeviceGetAttributes_v2(Device* part, Attributes* attributes) {
  *attributes = {};
  attributes->memory_mebibytes = static_cast<unsigned long long>(part->memory * 1024);
  return part->parent != nullptr ? 0 : kNotSupported;
}
EXPORT int nvmlDeviceGetGpuInstanceById(Device* device, unsigned id, Device** instance) {
  for (Device* const part : device->parts) {
    if (part != nullptr && part->gpu_instance == id) return *instance = part, 0;
  }
  return kNotFound;
}
EXPORT int nvmlGpuInstanceGetComputeInstanceById(Device* instance, unsigned id, Device** compute) {
  for (Device* const part : instance->parent->parts) {
    if (part != nullptr && part->gpu_instance == instance->gpu_instance &&
        part->compute_instance == id)
      return *compute = part, 0;
  }
  return kNotFound;
}
EXPORT int nvmlGpuInstanceGetInfo(Device* instance, InstanceInfo* info) {
  return *info = {instance->parent, instance->gpu_instance, profile_of(*instance), 0, 1}, 0;
}
EXPORT int nvmlComputeInstanceGetInfo_v2(Device* instance, ComputeInstanceInfo* info) {
  return *info = {instance->parent, instance, instance->compute_instance, kOneSlice, 0, 1}, 0;
}
// Of both profiles the id is the first number.
EXPORT int nvmlDeviceGetGpuInstanceProfileInfo(Device*, unsigned profile, unsigned* info) {
  return *info = profile, profile == kOneSlice || profile == kOneSliceGraphics ? 0 : kNotSupported;
}
EXPORT int nvmlGpuInstanceGetComputeInstanceProfileInfo(Device*, unsigned profile, unsigned,
                                                        unsigned* info) {
  return *info = profile, profile == kOneSlice ? 0 : kNotSupported;
}
