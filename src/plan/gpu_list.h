/// `slipway gpu`: the GPUs of this host and which runs use them; their CDI specification.
#pragma once

#include <string>
#include <vector>

#include "gpu/cdi_spec.h"
#include "gpu/gpu_use.h"
#include "gpu/host.h"
#include "gpu/host_view.h"
#include "plan/tools.h"
#include "run/run_list.h"

namespace slipway::plan {

struct GpuUser {
  gpu::GpuProcess process;
  std::string run;      ///< name of the run that it belongs to; empty: none of this user's
  std::string command;  ///< its name, as the kernel has it; empty where it has ended
};

struct GpuList {
  gpu::HostGpus host;
  std::vector<gpu::GpuUse> uses;            ///< one for each GPU
  std::vector<std::vector<GpuUser>> users;  ///< likewise
};

/// `options.root` is that of `host`. A host without a GPU is no error: `host.missing` says so.
/// Fails with Io, Denied.
Result<GpuList> list_gpus(const gpu::HostView& host, const gpu::HostGpuOptions& options,
                          const Tools& tools);

/// Of this host as it is now. Fails as gpu::make_cdi_spec does.
Result<gpu::CdiSpec> make_host_cdi(const gpu::HostGpuOptions& options);

/// The name of the run to which a process belongs: its control group is the run's, or one of its
/// ancestors is the run's monitor, room or program. Empty: none of them.
std::string find_run_of(const gpu::HostView& host, pid_t pid,
                        const std::vector<run::KnownRun>& runs);

}  // namespace slipway::plan
