// A libnvidia-ml.so.1 of our own, and as a second copy a libcuda. What it says stands in the file
// `fake_nvml.conf` beside it, read anew at each start:
//
//   init 18                     nvmlInit_v2 fails with this nvmlReturn_t
//   driver 570.86.15
//   cuda 12080
//   cuinit 802                  as libcuda: cuInit fails with this CUresult
//   cudevices 0                 as libcuda: it sees so many GPUs; all of them otherwise
//   without nvmlDeviceGetPciInfo_v3       as if this driver had no such function (for some of them)
//   gpu name=NVIDIA H100;minor=1;cc=9.0;memory=80;mig=1/1/2;status=15;…    one line a GPU
//
// Its MIG devices are `mig=CURRENT/PENDING/COUNT`, or `part=UUID/GI/CI/GIB/PROFILE` for each. What
// uses it is `compute=PID/MIB/GI` or `graphics=…` for each, GI only where it is divided. Without
// the file: two GPUs whose minor numbers are not their indexes, and driver 999.88.77. The keys of a
// GPU are those of `read_field` in fake_nvml_state.cc. Types and values as in NVIDIA's nvml.h.
// As NVIDIA's, it counts who has started it, and finds no GPU once all have stopped it.
#include "gpu/testing/fake_nvml.h"

#include <cstdio>
#include <cstring>

using namespace fake;

namespace {

int users = 0;

int answer(char* text, unsigned bytes, const Text& value) {
  return std::snprintf(text, bytes, "%s", value.data()) >= 0 ? 0 : kUnknown;
}

/// Of a part: those of its parent in its instance.
int answer(const Device& device, Processes Device::*kind, unsigned* count, Process* room) {
  const Device& gpu = device.parent != nullptr ? *device.parent : device;
  Processes found;
  for (unsigned i = 0; i < (gpu.*kind).count; ++i) {
    const Process& process = (gpu.*kind).list[i];
    if (device.parent == nullptr || process.gpu_instance == device.gpu_instance)
      found.list[found.count++] = process;
  }
  const unsigned size = *count;
  *count = found.count;
  if (size < found.count || room == nullptr) return found.count > 0 ? kInsufficientSize : 0;
  for (unsigned i = 0; i < found.count; ++i) room[i] = found.list[i];
  return 0;
}

}  // namespace

EXPORT int nvmlInit_v2() {
  read_state();
  if (state.init == 0) ++users;
  return state.init;
}
EXPORT int nvmlShutdown() { return users == 0 ? kUninitialized : (--users, 0); }
EXPORT const char* nvmlErrorString(int status) {
  switch (status) {
    case 4:
      return "Insufficient Permissions";
    case 9:
      return "Driver Not Loaded";
    case 15:
      return "GPU is lost";
    case 16:
      return "GPU requires reset";
    case 18:
      return "Driver/library version mismatch";
    default:
      return "Unknown Error";
  }
}
EXPORT int nvmlSystemGetDriverVersion(char* text, unsigned bytes) {
  return answer(text, bytes, state.driver);
}
EXPORT int nvmlSystemGetCudaDriverVersion_v2(int* version) { return *version = state.cuda, 0; }
EXPORT int nvmlDeviceGetCount_v2(unsigned* count) {
  return users == 0 ? kUninitialized : (*count = state.count, 0);
}
EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device** device) {
  if (users == 0) return kUninitialized;
  if (index >= state.count) return kUnknown;
  *device = &state.devices[index];
  return (*device)->status;
}
EXPORT int nvmlDeviceGetHandleByUUID(const char* uuid, Device** device) {
  for (Device& one : state.devices) {
    if (std::strcmp(one.uuid.data(), uuid) == 0) return *device = &one, one.status;
  }
  for (Device& one : state.parts) {
    if (std::strcmp(one.uuid.data(), uuid) == 0) return *device = &one, 0;
  }
  return kNotFound;
}
EXPORT int nvmlDeviceGetName(Device* device, char* text, unsigned bytes) {
  return answer(text, bytes, device->name);
}
EXPORT int nvmlDeviceGetUUID(Device* device, char* text, unsigned bytes) {
  return answer(text, bytes, device->uuid);
}
EXPORT int nvmlDeviceGetMinorNumber(Device* device, unsigned* minor) {
  return *minor = device->minor, 0;
}
EXPORT int nvmlDeviceGetCudaComputeCapability(Device* device, int* major, int* minor) {
  return *major = device->major_capability, *minor = device->minor_capability, 0;
}
EXPORT int nvmlDeviceGetMemoryInfo(Device* device, unsigned long long* sizes) {
  if (device->memory < 0) return kNotSupported;  // as on chips with shared memory
  const double gibibyte = 1ULL << 30;
  sizes[0] = static_cast<unsigned long long>(device->memory * gibibyte);
  sizes[2] = static_cast<unsigned long long>(device->used * gibibyte);
  return sizes[1] = sizes[0] - sizes[2], 0;
}
EXPORT int nvmlDeviceGetPciInfo_v3(Device* device, char* info) {
  if (is_without("nvmlDeviceGetPciInfo_v3")) return kFunctionNotFound;
  // nvmlPciInfo_t: 16 bytes of text, five numbers, 32 bytes of text.
  if (device->bus[0] == '\0') return kNotSupported;
  return std::snprintf(info + 36, 32, "0000%s", device->bus.data()) > 0 ? 0 : kUnknown;
}
EXPORT int nvmlDeviceGetBrand(Device* device, int* brand) { return *brand = device->brand, 0; }
EXPORT int nvmlDeviceGetP2PStatus(Device* one, Device* other, unsigned index, unsigned* status) {
  constexpr unsigned kNvLink = 2, kNotSupported = 5;
  const bool is_linked = one->nvlink != 0 && one->nvlink == other->nvlink;
  const bool is_there = one->apart == 0 && other->apart == 0 && (index != kNvLink || is_linked);
  return *status = is_there ? 0 : kNotSupported, 0;
}
EXPORT int nvmlDeviceGetPersistenceMode(Device* device, int* mode) {
  return *mode = device->persistence, 0;
}
EXPORT int nvmlDeviceGetComputeMode(Device* device, int* mode) { return *mode = device->mode, 0; }
EXPORT int nvmlDeviceGetIndex(Device* device, unsigned* index) { return *index = device->index, 0; }
EXPORT int nvmlDeviceGetEccMode(Device*, int* current, int* pending) {
  return *current = 1, *pending = 1, 0;
}
EXPORT int nvmlDeviceGetTotalEccErrors(Device* device, int type, int counter,
                                       unsigned long long* count) {
  if (type != 1 || counter != 0) return kNotSupported;
  return *count = static_cast<unsigned long long>(device->ecc), 0;
}
EXPORT int nvmlDeviceGetRemappedRows(Device* device, unsigned* corrected, unsigned* uncorrected,
                                     unsigned* pending, unsigned* failed) {
  *corrected = *uncorrected = 0;
  *pending = static_cast<unsigned>(device->pending);
  return *failed = static_cast<unsigned>(device->remap_failed), 0;
}
EXPORT int nvmlDeviceGetTemperature(Device* device, int, unsigned* celsius) {
  return *celsius = 91, device->lost;
}
EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(Device* device, unsigned long long* reasons) {
  return *reasons = device->throttle, 0;
}
EXPORT int nvmlDeviceGetGpuFabricInfo(Device* device, unsigned char* info) {
  // nvmlGpuFabricInfo_t: 16 bytes, two numbers, the state.
  return std::memset(info, 0, 24), info[24] = static_cast<unsigned char>(device->fabric), 0;
}
EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(Device* device, unsigned* count, Process* room) {
  if (device->processes == 0) return answer(*device, &Device::compute, count, room);
  *count = static_cast<unsigned>(device->processes);
  return kInsufficientSize;
}
EXPORT int nvmlDeviceGetGraphicsRunningProcesses_v3(Device* device, unsigned* count,
                                                    Process* room) {
  return answer(*device, &Device::graphics, count, room);
}

EXPORT int cuInit(unsigned) {
  read_state();
  return state.cuinit;
}
EXPORT int cuDeviceGetCount(int* count) {
  return *count = state.cudevices >= 0 ? state.cudevices : static_cast<int>(state.count), 0;
}
EXPORT int cuGetErrorString(int status, const char** text) {
  *text = status == 802 ? "system not yet initialized" : "unknown error";
  return 0;
}
