// A libnvidia-ml.so.1 of our own: two GPUs whose minor numbers are not their indexes, or, built
// with FAKE_NVML_BROKEN, the driver that was updated and not restarted. Types as in NVIDIA's
// nvml.h.
#include <cstdio>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {
struct Device {
  const char* name;
  const char* uuid;
  unsigned minor;
  int major_capability, minor_capability;
};
Device devices[] = {{"NVIDIA Fake 80GB", "GPU-11111111-2222-3333-4444-555555555555", 1, 9, 0},
                    {"NVIDIA Fake 24GB", "GPU-66666666-7777-8888-9999-000000000000", 0, 8, 6}};
constexpr int kUnknown = 999;
}  // namespace

#ifdef FAKE_NVML_BROKEN
EXPORT int nvmlInit_v2() { return 18; }
#else
EXPORT int nvmlInit_v2() { return 0; }
#endif
EXPORT int nvmlShutdown() { return 0; }
EXPORT const char* nvmlErrorString(int status) {
  return status == 18 ? "Driver/library version mismatch" : "Unknown Error";
}
EXPORT int nvmlSystemGetDriverVersion(char* text, unsigned bytes) {
  return std::snprintf(text, bytes, "999.88.77") > 0 ? 0 : kUnknown;
}
EXPORT int nvmlSystemGetCudaDriverVersion_v2(int* version) { return *version = 12080, 0; }
EXPORT int nvmlDeviceGetCount_v2(unsigned* count) { return *count = 2, 0; }
EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device** device) {
  return index < 2 ? (*device = &devices[index], 0) : kUnknown;
}
EXPORT int nvmlDeviceGetName(Device* device, char* text, unsigned bytes) {
  return std::snprintf(text, bytes, "%s", device->name) > 0 ? 0 : kUnknown;
}
EXPORT int nvmlDeviceGetUUID(Device* device, char* text, unsigned bytes) {
  return std::snprintf(text, bytes, "%s", device->uuid) > 0 ? 0 : kUnknown;
}
EXPORT int nvmlDeviceGetMinorNumber(Device* device, unsigned* minor) {
  return *minor = device->minor, 0;
}
EXPORT int nvmlDeviceGetCudaComputeCapability(Device* device, int* major, int* minor) {
  return *major = device->major_capability, *minor = device->minor_capability, 0;
}
EXPORT int nvmlDeviceGetMemoryInfo(Device* device, unsigned long long* sizes) {
  if (device->minor == 0) return 3;  // NVML_ERROR_NOT_SUPPORTED, as on chips with shared memory
  return sizes[0] = 80ULL << 30, sizes[1] = sizes[0], sizes[2] = 0, 0;
}
