#include "plan/chain_source.h"

#include <algorithm>
#include <set>

#include "gpu/chain_tables.h"
#include "plan/build_label.h"
#include "plan/python_source.h"
#include "solve/python.h"
#include "version/specifier.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kTorch = "torch";
constexpr std::string_view kCpuBuild = "cpu";

/// As `select` reads it: "7.5 8.0 ptx 12.0".
std::string capabilities_constraint(const gpu::TorchArch& row) {
  std::string text;
  for (const gpu::ComputeCapability& code : row.sass) text += code.text() + " ";
  if (!row.ptx.empty()) text += "ptx ";
  for (const gpu::ComputeCapability& code : row.ptx) text += code.text() + " ";
  return text;
}

}  // namespace

bool is_layer(std::string_view name) {
  return name == kCudaPackage || name == kCpuPackage || name == kDriverPackage ||
         name == kPythonPackage || name == kGlibcPackage || name.starts_with(kCompatPrefix) ||
         name.starts_with(kGpuPrefix);
}

ChainSource::ChainSource(solve::PackageSource& python, const gpu::CompatibilityTables& tables,
                         ChainTarget target)
    : python_(python), tables_(tables), target_(std::move(target)) {}

std::vector<solve::Requirement> ChainSource::asked() const {
  std::vector<solve::Requirement> requirements;
  for (const ChainTarget::Gpu& gpu : target_.gpus) {
    requirements.push_back(
        {{std::string(kGpuPrefix) + gpu.name, ""},
         "",
         fmt::format("the GPU {} (compute capability {})", gpu.name, gpu.model.capability.text())});
  }
  return requirements;
}

void ChainSource::require_cuda(const std::string& cuda,
                               std::vector<solve::Requirement>& into) const {
  const bool is_major = cuda.find('.') == std::string::npos;
  const bool is_known = std::ranges::any_of(gpu::known_cudas(tables_), [&](std::string_view known) {
    return is_major ? known.starts_with(cuda + ".") : known == cuda;
  });
  if (cuda.empty() || !is_known) return;
  into.push_back({{kCudaPackage, ""}, "==" + cuda + (is_major ? ".*" : ""), "CUDA " + cuda});
}

void ChainSource::add_torch_requirements(solve::Candidate& candidate) const {
  const auto version = version::Version::parse(candidate.version);
  if (!version.ok() || !candidate.unusable.empty()) return;
  const std::string build = version->has_local() ? version->local().front() : "";
  if (build == kCpuBuild && (!target_.gpus.empty() || target_.driver)) {
    candidate.unusable = "is built for the CPU only, and the target of slipway.toml is a GPU";
    return;
  }
  const std::string series = version->series();
  const std::string cuda =
      build.empty() ? gpu::default_cuda(tables_, series) : read_build_label(build).cuda;
  if (cuda.empty()) return;
  require_cuda(cuda, candidate.requirements);
  require_gpus(series, cuda, candidate.requirements);
}

void ChainSource::require_gpus(const std::string& series, const std::string& cuda,
                               std::vector<solve::Requirement>& into) const {
  const gpu::TorchArch* row = gpu::find_torch_arch(tables_, series, cuda);
  if (row == nullptr) return;
  for (const ChainTarget::Gpu& gpu : target_.gpus) {
    into.push_back({{std::string(kGpuPrefix) + gpu.name, ""},
                    capabilities_constraint(*row),
                    "a GPU of compute capability " + gpu::capabilities_text(*row)});
  }
}

/// From the tables, and from local versions.
void ChainSource::add_companion_requirements(const std::string& name,
                                             solve::Candidate& candidate) const {
  if (!candidate.unusable.empty()) return;
  const auto version = version::Version::parse(candidate.version);
  if (!version.ok()) return;
  if (const gpu::Companion* row = gpu::find_companion(tables_, name, version->series())) {
    if (!row->torch_fits.empty()) {
      candidate.requirements.push_back({{std::string(kTorch), ""}, row->torch_fits});
    }
    // Without a local version it is the build of the default index, as the torch beside it.
    const auto torch = version::Version::parse(row->torch);
    if (!version->has_local() && !row->any_cuda && torch.ok()) {
      require_cuda(gpu::default_cuda(tables_, torch->series()), candidate.requirements);
    }
  }
  const std::size_t plus = candidate.version.find('+');
  if (plus == std::string::npos) return;
  const BuildLabel label = read_build_label(std::string_view(candidate.version).substr(plus + 1));
  require_cuda(label.cuda, candidate.requirements);
  if (label.torch.empty()) return;
  candidate.requirements.push_back({{std::string(kTorch), ""}, fmt::format("=={}.*", label.torch)});
  if (label.abi) add_abi_requirements(label, candidate);
}

/// Which of its two interfaces to the C++ library a torch has, depends on its build: one for all
/// builds of a release, or another for one CUDA.
void ChainSource::add_abi_requirements(const BuildLabel& label, solve::Candidate& candidate) const {
  const bool is_new = label.abi == CxxAbi::New;
  const gpu::CxxAbiRow abi = gpu::find_cxx_abi(tables_, label.torch);
  if (abi.cuda.empty() && abi.is_new == is_new) return;
  if (abi.cuda.empty()) {
    candidate.unusable = fmt::format("is for the {} C++ ABI, which no build of torch {} has",
                                     is_new ? "new" : "old", label.torch);
    return;
  }
  candidate.requirements.push_back(
      {{kCudaPackage, ""},
       fmt::format("{}{}", is_new ? "==" : "!=", abi.cuda),
       fmt::format("{}CUDA {}, whose torch {} has the new C++ ABI", is_new ? "" : "another than ",
                   abi.cuda, label.torch)});
}

void ChainSource::add_cpu_requirements(const std::string& name, solve::Candidate& candidate) const {
  const auto version = version::Version::parse(candidate.version);
  if (target_.cpu.empty() || !version.ok()) return;
  for (const gpu::CpuFloor& row : tables_.cpu_floors) {
    if (row.package != name) continue;
    const auto versions = version::SpecifierSet::parse(row.versions);
    if (!versions.ok() || !versions->contains(version->without_local())) continue;
    candidate.requirements.push_back({{kCpuPackage, ""},
                                      fmt::format(">={}", cpu_level_number(row.level)),
                                      "a processor of level " + row.level});
  }
}

Result<solve::CandidateList> ChainSource::candidates(const std::string& name) {
  if (name == kCudaPackage) return cuda_candidates();
  if (name == kDriverPackage) return driver_candidates();
  if (name.starts_with(kCompatPrefix)) return compat_candidates();
  if (name == kCpuPackage) return cpu_candidates();
  if (name.starts_with(kGpuPrefix)) return gpu_candidates(name);
  solve::CandidateList list = TRY(python_.candidates(name));
  if (is_layer(name)) return list;
  for (solve::Candidate& candidate : list.candidates) {
    add_cpu_requirements(name, candidate);
    if (name == kTorch) {
      add_torch_requirements(candidate);
    } else {
      add_companion_requirements(name, candidate);
    }
  }
  return list;
}

Result<solve::Dependencies> ChainSource::dependencies(const solve::Package& package,
                                                      const solve::Candidate& candidate) {
  if (is_layer(package.name)) return solve::Dependencies{};
  solve::Dependencies dependencies = TRY(python_.dependencies(package, candidate));
  if (package.name != kTorch || !package.extra.empty()) return dependencies;
  const auto version = version::Version::parse(candidate.version);
  if (!version.ok() || version->has_local()) return dependencies;
  if (!gpu::default_cuda(tables_, version->series()).empty()) return dependencies;
  // A torch that is newer than the tables: its own requirements tell its CUDA.
  std::string cuda;
  for (const solve::Requirement& requirement : dependencies.requirements) {
    const std::string& name = requirement.package.name;
    const bool is_runtime = name.starts_with("nvidia-cuda-runtime") || name == "cuda-toolkit";
    const auto pin = version::Version::parse(
        requirement.constraint.starts_with("==") ? requirement.constraint.substr(2) : "");
    if (is_runtime && pin.ok()) cuda = pin->series();
  }
  require_cuda(cuda, dependencies.requirements);
  require_gpus(version->series(), cuda, dependencies.requirements);
  return dependencies;
}

void ChainSource::prefetch_candidates(const std::string& name) {
  if (!is_layer(name)) python_.prefetch_candidates(name);
}

void ChainSource::prefetch_dependencies(const std::string& name,
                                        const solve::Candidate& candidate) {
  if (!is_layer(name)) python_.prefetch_dependencies(name, candidate);
}

}  // namespace slipway::plan
