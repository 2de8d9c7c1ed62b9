#include "gpu/gpu_state.h"

#include <array>

namespace slipway::gpu {
namespace {

using nvml_status::kSuccess;

struct FabricInfo {  // nvml.h: nvmlGpuFabricInfo_t, and room behind it
  std::array<unsigned char, 16> cluster{};
  int status = 0;
  unsigned clique = 0;
  unsigned char state = 0;
  std::array<unsigned char, 64> room{};
};
constexpr unsigned char kFabricNotSupported = 0;
constexpr unsigned char kFabricCompleted = 3;

// nvml.h: nvmlClocksThrottleReason{SwThermalSlowdown,HwThermalSlowdown,HwPowerBrakeSlowdown}.
constexpr unsigned long long kSlowdowns = 0x20 | 0x40 | 0x80;

constexpr int kUncorrected = 1;  // nvml.h: NVML_MEMORY_ERROR_TYPE_UNCORRECTED
constexpr int kVolatile = 0;     // nvml.h: NVML_VOLATILE_ECC

class Questions {
 public:
  Questions(const Nvml& nvml, Nvml::Device device) : nvml_(nvml), device_(device) {}

  template <typename... Args>
  bool ask(const char* name, Args... args) const {
    return nvml_.ask(name, device_, args...) == kSuccess;
  }
  /// For functions of the shape (device, T*).
  template <typename T, typename As = T>
  std::optional<As> find(const char* name) const {
    T value{};
    if (!ask(name, &value)) return std::nullopt;
    return static_cast<As>(value);
  }
  /// With room for none, such a function says how many there are.
  std::optional<unsigned> count_processes() const {
    for (const char* name :
         {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2",
          "nvmlDeviceGetComputeRunningProcesses"}) {
      unsigned count = 0;
      const int status = nvml_.ask(name, device_, &count, static_cast<void*>(nullptr));
      if (status == kSuccess || status == nvml_status::kInsufficientSize) return count;
    }
    return std::nullopt;
  }

 private:
  const Nvml& nvml_;
  Nvml::Device device_;
};

void read_partitions(const Questions& q, GpuState& state) {
  unsigned current = 0, pending = 0, most = 0;
  if (!q.ask("nvmlDeviceGetMigMode", &current, &pending)) return;
  state.mig = current == 1;
  state.mig_pending = pending == 1;
  if (current != 1 || !q.ask("nvmlDeviceGetMaxMigDeviceCount", &most)) return;
  for (unsigned i = 0; i < most; ++i) {
    Nvml::Device part = nullptr;
    if (q.ask("nvmlDeviceGetMigDeviceHandleByIndex", i, &part)) ++state.mig_devices;
  }
}

void read_memory_health(const Questions& q, GpuState& state) {
  int current = 0, pending = 0;
  if (q.ask("nvmlDeviceGetEccMode", &current, &pending)) state.ecc = current == 1;
  unsigned long long errors = 0;
  if (q.ask("nvmlDeviceGetTotalEccErrors", kUncorrected, kVolatile, &errors))
    state.uncorrected_errors = errors;
  state.repair_pending = q.find<int>("nvmlDeviceGetRetiredPagesPendingStatus").value_or(0) == 1;
  unsigned corrected = 0, uncorrected = 0, waits = 0, failed = 0;
  if (q.ask("nvmlDeviceGetRemappedRows", &corrected, &uncorrected, &waits, &failed)) {
    state.repair_pending = state.repair_pending || waits != 0;
    state.repair_failed = failed != 0;
  }
}

void read_rest(const Questions& q, GpuState& state) {
  NvmlMemory memory;
  if (q.ask("nvmlDeviceGetMemoryInfo", &memory)) state.used_bytes = memory.used_bytes;
  state.persistence = q.find<int, bool>("nvmlDeviceGetPersistenceMode");
  state.compute_mode = q.find<int, ComputeMode>("nvmlDeviceGetComputeMode");
  unsigned celsius = 0;
  if (q.ask("nvmlDeviceGetTemperature", 0, &celsius)) state.celsius = celsius;
  const auto slowed = q.find<unsigned long long>("nvmlDeviceGetCurrentClocksThrottleReasons");
  state.is_throttled = (slowed.value_or(0) & kSlowdowns) != 0;
  FabricInfo fabric;
  if (q.ask("nvmlDeviceGetGpuFabricInfo", &fabric)) {
    state.needs_fabric = fabric.state != kFabricNotSupported;
    state.has_fabric = fabric.state == kFabricCompleted && fabric.status == kSuccess;
  }
  state.processes = q.count_processes();
}

GpuState read_state(const Nvml& nvml, unsigned index) {
  GpuState state;
  state.index = index;
  Nvml::Device device = nullptr;
  state.status = nvml.ask("nvmlDeviceGetHandleByIndex_v2", index, &device);
  if (state.status == kSuccess) {
    // A GPU that is lost while the driver stays loaded may still have a handle.
    unsigned celsius = 0;
    const int answer = nvml.ask("nvmlDeviceGetTemperature", device, 0, &celsius);
    if (answer == nvml_status::kGpuIsLost || answer == nvml_status::kResetRequired)
      state.status = answer;
  }
  if (state.status != kSuccess) {
    state.status_words = nvml.words(state.status);
    return state;
  }
  if (Result<Gpu> gpu = nvml.read_gpu(device); gpu.ok()) state.gpu = std::move(*gpu);
  state.pci_slot = nvml.pci_slot(device);
  const Questions questions(nvml, device);
  read_partitions(questions, state);
  read_memory_health(questions, state);
  read_rest(questions, state);
  return state;
}

}  // namespace

std::vector<GpuState> read_gpu_states(const Nvml& nvml) {
  unsigned count = 0;
  std::vector<GpuState> states;
  if (nvml.ask("nvmlDeviceGetCount_v2", &count) != kSuccess) return states;
  for (unsigned i = 0; i < count; ++i) states.push_back(read_state(nvml, i));
  return states;
}

}  // namespace slipway::gpu
