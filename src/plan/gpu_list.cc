#include "plan/gpu_list.h"

#include <charconv>

#include "base/process_stat.h"
#include "gpu/nvml.h"
#include "plan/runs.h"

namespace slipway::plan {
namespace {

constexpr int kMostAncestors = 64;

/// PPid of proc_pid_status(5); 0 where there is none.
pid_t parent_of(const gpu::HostView& host, pid_t pid) {
  const std::string status = host.text(fmt::format("/proc/{}/status", pid));
  const std::string_view text = process_status_field(status, "PPid");
  pid_t parent = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), parent);
  return parent;
}

bool leads(const run::RunState& state, pid_t pid) {
  return pid == state.monitor_pid || pid == state.room_pid || pid == state.program_pid;
}

}  // namespace

std::string find_run_of(const gpu::HostView& host, pid_t pid,
                        const std::vector<run::KnownRun>& runs) {
  const std::string groups = host.text(fmt::format("/proc/{}/cgroup", pid));
  for (const run::KnownRun& run : runs) {
    if (run.is_alive && groups.find("slipway-" + run.facts.id) != std::string::npos)
      return run.facts.name;
  }
  // A run without limits has no group of its own.
  for (int i = 0; i < kMostAncestors && pid > 1; ++i, pid = parent_of(host, pid)) {
    for (const run::KnownRun& run : runs) {
      if (run.is_alive && leads(run.state, pid)) return run.facts.name;
    }
  }
  return "";
}

Result<GpuList> list_gpus(const gpu::HostView& host, const gpu::HostGpuOptions& options,
                          const Tools& tools) {
  GpuList list;
  // Kept open, so that NVML, which may take seconds to start, starts once.
  const Result<gpu::Nvml> nvml = gpu::Nvml::open(gpu::find_nvml_library(options));
  list.host = TRY(gpu::read_host_gpus(options));
  if (nvml.ok()) list.uses = gpu::read_gpu_use(*nvml, list.host.gpus);
  list.uses.resize(list.host.gpus.size());
  const std::vector<run::KnownRun> runs = TRY(list_runs(tools));
  for (const gpu::GpuUse& use : list.uses) {
    std::vector<GpuUser> users;
    for (const gpu::GpuProcess& process : use.processes) {
      users.push_back({process, find_run_of(host, process.pid, runs),
                       host.text(fmt::format("/proc/{}/comm", process.pid))});
    }
    list.users.push_back(std::move(users));
  }
  return list;
}

Result<gpu::CdiSpec> make_host_cdi(const gpu::HostGpuOptions& options) {
  return gpu::make_cdi_spec(TRY(gpu::read_host_gpus(options)), options);
}

}  // namespace slipway::plan
