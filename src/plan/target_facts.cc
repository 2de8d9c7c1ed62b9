#include "plan/target_facts.h"

#include <algorithm>
#include <optional>

#include "gpu/driver_version.h"
#include "gpu/forward_compatibility.h"
#include "gpu/gpu_names.h"

namespace slipway::plan {
namespace {

/// The host's own GPUs and driver, asked once and only where they are wanted.
class Host {
 public:
  Result<const gpu::HostGpus*> facts() {
    if (!facts_) facts_ = TRY(gpu::read_host_gpus());
    if (!facts_->missing.empty()) {
      return make_error(ErrorKind::NotFound, "[target] says `this host`, which has no usable GPU")
          .reason(facts_->missing)
          .hint("name the GPUs and the driver that the image must run on");
    }
    return &*facts_;
  }

 private:
  std::optional<gpu::HostGpus> facts_;
};

Result<void> add_host_gpus(Host& host, const gpu::CompatibilityTables& tables, TargetFacts& facts) {
  for (const gpu::Gpu& gpu : TRY(host.facts())->gpus) {
    const gpu::ComputeCapability capability{gpu.compute_major, gpu.compute_minor};
    const std::string name = capability.sm();
    if (std::ranges::find(facts.gpus, name) != facts.gpus.end()) continue;
    facts.gpus.push_back(name);
    facts.chain.gpus.push_back({name, TRY(gpu::parse_gpu(tables, name))});
  }
  return {};
}

}  // namespace

Result<const gpu::ForwardCompatibility*> find_cuda_compat(const gpu::CompatibilityTables& tables,
                                                          const std::string& cuda) {
  if (const auto* const row = gpu::find_forward_compatibility(tables, cuda)) return row;
  std::vector<std::string> known;
  for (const auto& row : tables.forward_compatibilities) known.push_back(row.cuda);
  return make_error(ErrorKind::InvalidInput, "`{}` is no cuda-compat that is known", cuda)
      .hint(fmt::format("known are {}", fmt::join(known, ", ")));
}

Result<TargetFacts> find_target_facts(const spec::Target& target,
                                      const gpu::CompatibilityTables& tables) {
  TargetFacts facts;
  Host host;
  for (const std::string& name : target.gpus) {
    if (name == spec::kThisHost) {
      TRY(add_host_gpus(host, tables, facts));
      continue;
    }
    gpu::GpuModel model =
        TRY_WHILE("reading target.gpu of slipway.toml", gpu::parse_gpu(tables, name));
    facts.gpus.push_back(name);
    facts.chain.gpus.push_back({name, std::move(model)});
  }
  if (!target.cuda_compat.empty()) {
    TRY_WHILE("reading target.cuda-compat of slipway.toml",
              find_cuda_compat(tables, target.cuda_compat));
  }
  facts.chain.cuda_compat = target.cuda_compat;
  facts.chain.cpu = target.cpu;
  facts.driver = target.driver;
  if (target.driver == spec::kThisHost) {
    facts.driver = "==" + TRY(host.facts())->driver_version;
    facts.chain.driver = TRY(gpu::lowest_driver(facts.driver));
  } else if (!target.driver.empty()) {
    facts.chain.driver =
        TRY_WHILE("reading target.driver of slipway.toml", gpu::lowest_driver(target.driver));
  }
  return facts;
}

}  // namespace slipway::plan
