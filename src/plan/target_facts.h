/// What [target] says, as the solve and `check` need it.
#pragma once

#include "gpu/host.h"
#include "plan/chain_source.h"
#include "spec/project.h"

namespace slipway::plan {

struct TargetFacts {
  ChainTarget chain;
  /// As a lock has them: "this host" is replaced by what the host has.
  std::vector<std::string> gpus;
  std::string driver;
};

/// The row of `target.cuda-compat`. InvalidInput where no table knows that package.
Result<const gpu::ForwardCompatibility*> find_cuda_compat(const gpu::CompatibilityTables& tables,
                                                          const std::string& cuda);

/// Asks NVML where [target] says "this host". Fails with InvalidInput for a GPU that the tables do
/// not know (nearest names suggested) and a driver without a lower end; NotFound where this host
/// has no GPU.
Result<TargetFacts> find_target_facts(const spec::Target& target,
                                      const gpu::CompatibilityTables& tables);

}  // namespace slipway::plan
