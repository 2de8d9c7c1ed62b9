/// `slipway doctor`: what this host has, what is wrong with it, and what mends it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"
#include "gpu/driver_state.h"
#include "gpu/host_finding.h"
#include "plan/tools.h"
#include "run/host_state.h"

namespace slipway::plan {

struct DoctorRequest {
  gpu::HostView host;
  std::int64_t unix_time = 0;
  std::optional<std::string> image;  ///< also multiply in a container of it
  /// `slipway run` with these words behind it, its outputs kept. Fails as a program that cannot be
  /// started does; a run that ends badly is an answer.
  std::function<Result<ProcessResult>(const std::vector<std::string>& words)> run;
};

struct Diagnosis {
  gpu::DriverState driver;
  run::HostState machine;
  gpu::HostFindings findings;  ///< by layer: gpu, driver, devices, container, system, image

  std::size_t count(gpu::Severity severity) const;
  bool has_gpu() const;  ///< one that answers
  bool is_broken() const { return count(gpu::Severity::Broken) > 0; }
};

/// Changes nothing on the host. Blocks: NVML may take seconds to start, an image's probe longer.
/// Fails with NotFound for an image that is not in the store, and with Io.
Result<Diagnosis> examine_host(const DoctorRequest& request, const Tools& tools);

}  // namespace slipway::plan
