#include "gpu/gpu_use.h"

#include <algorithm>
#include <tuple>

namespace slipway::gpu {
namespace {

using nvml_status::kInsufficientSize;
using nvml_status::kSuccess;

struct OldProcessInfo {  // nvml.h: nvmlProcessInfo_v1_t
  unsigned pid = 0;
  unsigned long long used_bytes = 0;
};

struct ProcessInfo {  // nvml.h: nvmlProcessInfo_v2_t, also of the functions _v3
  unsigned pid = 0;
  unsigned long long used_bytes = 0;
  unsigned gpu_instance = 0, compute_instance = 0;
};

constexpr unsigned long long kNotAvailable = ~0ULL;  // nvml.h: NVML_VALUE_NOT_AVAILABLE

/// Processes come while they are counted: room for some more, and another try.
template <typename Info>
std::optional<std::vector<Info>> ask_for(const Nvml& nvml, Nvml::Device device, const char* name) {
  std::vector<Info> room(32);
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto count = static_cast<unsigned>(room.size());
    const int status = nvml.ask(name, device, &count, static_cast<void*>(room.data()));
    if (status == kSuccess) {
      room.resize(std::min<std::size_t>(count, room.size()));
      return room;
    }
    if (status != kInsufficientSize) return std::nullopt;
    room.resize(std::size_t{count} + 32);
  }
  return std::nullopt;
}

class Processes {
 public:
  template <typename Info>
  void add(const std::vector<Info>& infos, bool draws, const std::string& mig_uuid) {
    for (const Info& info : infos) {
      GpuProcess& process = find(static_cast<pid_t>(info.pid), mig_uuid);
      (draws ? process.draws : process.computes) = true;
      // A process that does both is counted as a whole in both lists.
      if (info.used_bytes != kNotAvailable)
        process.memory_bytes =
            std::max<std::uint64_t>(process.memory_bytes.value_or(0), info.used_bytes);
    }
  }

  std::vector<GpuProcess> take() {
    std::sort(list_.begin(), list_.end(), [](const GpuProcess& a, const GpuProcess& b) {
      return std::tie(a.pid, a.mig_uuid) < std::tie(b.pid, b.mig_uuid);
    });
    return std::move(list_);
  }

 private:
  GpuProcess& find(pid_t pid, const std::string& mig_uuid) {
    for (GpuProcess& known : list_) {
      if (known.pid == pid && known.mig_uuid == mig_uuid) return known;
    }
    GpuProcess process;
    process.pid = pid;
    process.mig_uuid = mig_uuid;
    return list_.emplace_back(std::move(process));
  }

  std::vector<GpuProcess> list_;
};

void add_processes(const Nvml& nvml, Nvml::Device device, const std::string& mig_uuid,
                   Processes& processes) {
  for (const bool draws : {false, true}) {
    const std::string name =
        draws ? "nvmlDeviceGetGraphicsRunningProcesses" : "nvmlDeviceGetComputeRunningProcesses";
    auto infos = ask_for<ProcessInfo>(nvml, device, (name + "_v3").c_str());
    if (!infos) infos = ask_for<ProcessInfo>(nvml, device, (name + "_v2").c_str());
    if (infos) {
      processes.add(*infos, draws, mig_uuid);
    } else if (const auto old = ask_for<OldProcessInfo>(nvml, device, name.c_str())) {
      processes.add(*old, draws, mig_uuid);
    }
  }
}

GpuUse read_use(const Nvml& nvml, unsigned index, const Gpu& gpu) {
  GpuUse use;
  Nvml::Device device = nullptr;
  if (nvml.ask("nvmlDeviceGetHandleByIndex_v2", index, &device) != kSuccess) return use;
  NvmlMemory memory;
  if (nvml.ask("nvmlDeviceGetMemoryInfo", device, &memory) == kSuccess)
    use.used_bytes = memory.used_bytes;
  Processes processes;
  if (!gpu.mig_enabled) add_processes(nvml, device, "", processes);
  // A divided GPU tells its processes to administrators alone; each part tells its own.
  for (const MigDevice& part : gpu.mig_devices) {
    Nvml::Device handle = nullptr;
    if (nvml.ask("nvmlDeviceGetMigDeviceHandleByIndex", device, part.index, &handle) == kSuccess)
      add_processes(nvml, handle, part.uuid, processes);
  }
  use.processes = processes.take();
  return use;
}

}  // namespace

std::vector<GpuUse> read_gpu_use(const Nvml& nvml, const std::vector<Gpu>& gpus) {
  std::vector<GpuUse> uses;
  for (unsigned index = 0; index < gpus.size(); ++index)
    uses.push_back(read_use(nvml, index, gpus[index]));
  return uses;
}

}  // namespace slipway::gpu
