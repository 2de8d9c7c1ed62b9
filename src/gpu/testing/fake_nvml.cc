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
// GPU are those of `read_gpu` below. Types and values as in NVIDIA's nvml.h.
#include <dlfcn.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

constexpr int kNotSupported = 3;
constexpr int kNotFound = 6;
constexpr int kInsufficientSize = 7;
constexpr int kFunctionNotFound = 13;
constexpr int kUnknown = 999;

using Text = std::array<char, 128>;

struct Process {  // nvml.h: nvmlProcessInfo_v2_t
  unsigned pid = 0;
  unsigned long long used = 0;
  unsigned gpu_instance = 0xFFFFFFFF, compute_instance = 0xFFFFFFFF;
};

struct Processes {
  unsigned count = 0;
  std::array<Process, 4> list{};
};

/// A GPU, or a part of one: then it has a parent.
struct Device {
  Device* parent = nullptr;
  unsigned index = 0, gpu_instance = 0, compute_instance = 0;
  std::array<Device*, 7> parts{};
  Processes compute{}, graphics{};
  Text name{}, uuid{}, bus{};
  unsigned minor = 0;
  int major_capability = 0, minor_capability = 0;
  int status = 0, lost = 0;      // of the handle; of the first question
  double memory = -1, used = 0;  // GiB; -1: not supported
  int persistence = 1, mode = 0, processes = 0;
  int mig = -1, mig_pending = 0, mig_devices = 0;
  int ecc = 0, pending = 0, remap_failed = 0;
  unsigned long long throttle = 0;
  int fabric = 0;
};

struct State {
  int init = 0;
  Text driver{};
  int cuda = 12080;
  int cuinit = 0, cudevices = -1;
  unsigned count = 0;
  std::array<Device, 16> devices{};
  unsigned part_count = 0;
  std::array<Device, 64> parts{};
  Text without{};
};
State state;

Device* add_part(Device& parent) {
  unsigned index = 0;
  while (index < parent.parts.size() && parent.parts[index] != nullptr) ++index;
  if (index == parent.parts.size() || state.part_count == state.parts.size()) return nullptr;
  Device* const part = parent.parts[index] = &state.parts[state.part_count++];
  part->parent = &parent;
  part->index = index;
  part->gpu_instance = index + 7;
  part->memory = parent.memory / 8;
  std::snprintf(part->uuid.data(), part->uuid.size(), "MIG-%.60s-%u", parent.uuid.data(), index);
  std::snprintf(part->name.data(), part->name.size(), "%.90s MIG 1g", parent.name.data());
  return part;
}

/// What does not fit is cut.
void copy(Text& to, const char* from) {
  const std::size_t length = strnlen(from, to.size() - 1);
  std::memcpy(to.data(), from, length);
  to[length] = '\0';
}

void read_part(Device& parent, const char* text) {
  Device* const part = add_part(parent);
  if (part == nullptr) return;
  Text profile{};
  std::sscanf(text, "%100[^/]/%u/%u/%lf/%30s", part->uuid.data(), &part->gpu_instance,
              &part->compute_instance, &part->memory, profile.data());
  std::snprintf(part->name.data(), part->name.size(), "%.80s MIG %.30s", parent.name.data(),
                profile.data());
}

void read_process(Processes& processes, const char* text) {
  if (processes.count >= processes.list.size()) return;
  Process& process = processes.list[processes.count++];
  unsigned long long mebibytes = 0;
  std::sscanf(text, "%u/%llu/%u", &process.pid, &mebibytes, &process.gpu_instance);
  process.used = mebibytes << 20;
}

void read_field(Device& device, const char* key, const char* value) {
  const auto is = [key](const char* name) { return std::strcmp(key, name) == 0; };
  if (is("name")) copy(device.name, value);
  if (is("uuid")) copy(device.uuid, value);
  if (is("bus")) copy(device.bus, value);
  if (is("minor")) device.minor = static_cast<unsigned>(std::atoi(value));
  if (is("cc")) std::sscanf(value, "%d.%d", &device.major_capability, &device.minor_capability);
  if (is("status")) device.status = std::atoi(value);
  if (is("lost")) device.lost = std::atoi(value);
  if (is("memory")) device.memory = std::atof(value);
  if (is("used")) device.used = std::atof(value);
  if (is("persistence")) device.persistence = std::atoi(value);
  if (is("mode")) device.mode = std::atoi(value);
  if (is("processes")) device.processes = std::atoi(value);
  if (is("mig"))
    std::sscanf(value, "%d/%d/%d", &device.mig, &device.mig_pending, &device.mig_devices);
  if (is("part")) read_part(device, value);
  if (is("compute")) read_process(device.compute, value);
  if (is("graphics")) read_process(device.graphics, value);
  if (is("ecc")) device.ecc = std::atoi(value);
  if (is("pending")) device.pending = std::atoi(value);
  if (is("remap_failed")) device.remap_failed = std::atoi(value);
  if (is("throttle")) device.throttle = static_cast<unsigned long long>(std::atoi(value));
  if (is("fabric")) device.fabric = std::atoi(value);
}

void read_gpu(char* text) {
  if (state.count >= state.devices.size()) return;
  Device& device = state.devices[state.count];
  device.index = state.count++;
  char* rest = nullptr;
  for (char* field = strtok_r(text, ";\n", &rest); field != nullptr;
       field = strtok_r(nullptr, ";\n", &rest)) {
    char* const value = std::strchr(field, '=');
    if (value == nullptr) continue;
    *value = '\0';
    read_field(device, field, value + 1);
  }
  for (unsigned i = 0; i < static_cast<unsigned>(device.mig_devices); ++i) {
    if (i < device.parts.size() && device.parts[i] == nullptr) add_part(device);
  }
}

void read_line(char* line) {
  if (std::strncmp(line, "init ", 5) == 0) state.init = std::atoi(line + 5);
  if (std::strncmp(line, "cuda ", 5) == 0) state.cuda = std::atoi(line + 5);
  if (std::strncmp(line, "cuinit ", 7) == 0) state.cuinit = std::atoi(line + 7);
  if (std::strncmp(line, "cudevices ", 10) == 0) state.cudevices = std::atoi(line + 10);
  if (std::strncmp(line, "without ", 8) == 0) {
    line[std::strcspn(line, "\n")] = '\0';
    copy(state.without, line + 8);
  }
  if (std::strncmp(line, "driver ", 7) == 0) {
    line[std::strcspn(line, "\n")] = '\0';
    copy(state.driver, line + 7);
  }
  if (std::strncmp(line, "gpu ", 4) == 0) read_gpu(line + 4);
}

void read_state() {
  state = State{};
  copy(state.driver, "999.88.77");
  std::array<char, 4096> path{};
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&read_state), &info) != 0)
    std::snprintf(path.data(), path.size(), "%s", info.dli_fname);
  char* const slash = std::strrchr(path.data(), '/');
  if (slash != nullptr)
    std::snprintf(slash, path.size() - static_cast<std::size_t>(slash - path.data()),
                  "/fake_nvml.conf");
  std::FILE* const file = std::fopen(path.data(), "r");
  std::array<char, 1024> line{};
  if (file == nullptr) {
    for (const char* text : {"name=NVIDIA Fake 80GB;uuid=GPU-11111111-2222-3333-4444-555555555555;"
                             "minor=1;cc=9.0;memory=80",
                             "name=NVIDIA Fake 24GB;uuid=GPU-66666666-7777-8888-9999-000000000000;"
                             "minor=0;cc=8.6"}) {
      std::snprintf(line.data(), line.size(), "%s", text);
      read_gpu(line.data());
    }
    return;
  }
  while (std::fgets(line.data(), static_cast<int>(line.size()), file) != nullptr)
    read_line(line.data());
  std::fclose(file);
}

int answer(char* text, unsigned bytes, const Text& value) {
  return std::snprintf(text, bytes, "%s", value.data()) >= 0 ? 0 : kUnknown;
}

bool is_without(const char* function) { return std::strcmp(state.without.data(), function) == 0; }

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
  return state.init;
}
EXPORT int nvmlShutdown() { return 0; }
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
EXPORT int nvmlDeviceGetCount_v2(unsigned* count) { return *count = state.count, 0; }
EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device** device) {
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
EXPORT int nvmlDeviceGetPersistenceMode(Device* device, int* mode) {
  return *mode = device->persistence, 0;
}
EXPORT int nvmlDeviceGetComputeMode(Device* device, int* mode) { return *mode = device->mode, 0; }
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
