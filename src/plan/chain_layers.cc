// The layers themselves as packages: their candidates, and what they are asked for.
#include <algorithm>
#include <set>

#include "gpu/chain_tables.h"
#include "gpu/forward_compatibility.h"
#include "plan/chain_source.h"
#include "version/specifier.h"

namespace slipway::plan {
namespace {

// Constraints of our own, as `select` reads them.
constexpr std::string_view kInBranches = "in ", kIsOfKind = "kind", kIsKnown = "known";

bool has_code_for(const gpu::ComputeCapability& device, std::string_view constraint) {
  bool is_ptx = false;
  while (!constraint.empty()) {
    const std::string_view word = constraint.substr(0, constraint.find(' '));
    constraint.remove_prefix(std::min(word.size() + 1, constraint.size()));
    if (word == "ptx") {
      is_ptx = true;
      continue;
    }
    const auto code = gpu::parse_compute_capability(word);
    if (!code.ok()) continue;
    const gpu::CodeTarget target{*code};
    if (is_ptx ? gpu::runs_ptx(target, device) : gpu::runs_sass(target, device)) return true;
  }
  return false;
}

/// `>=525.60.13`, `<=580` (a branch), `in 470 535`.
Result<bool> driver_meets(const std::string& version, std::string_view constraint) {
  const auto driver = TRY(gpu::parse_driver_version(version));
  if (constraint.starts_with(kInBranches)) {
    const std::string branches = fmt::format(" {} ", constraint.substr(kInBranches.size()));
    return branches.find(fmt::format(" {} ", driver.branch())) != std::string::npos;
  }
  const auto bound = TRY(gpu::parse_driver_version(constraint.substr(2)));
  return constraint.starts_with("<=") ? driver.branch() <= bound.branch()
                                      : gpu::reaches(driver, bound);
}

/// What decides about cuda-compat, behind "the h100 of slipway.toml has compute capability 9.0".
std::string kind_of_gpu(const gpu::GpuModel& model) {
  if (model.kind.empty()) return ", and does not say which GPU it is";
  std::string text = fmt::format(" and is a {}", gpu::kind_text(model.kind));
  if (model.last_driver)
    text += fmt::format("; driver {} is its last", model.last_driver->branch());
  return text;
}

}  // namespace

int cpu_level_number(std::string_view level) { return level == "x86-64" ? 1 : level.back() - '0'; }

void ChainSource::require_driver(const std::optional<gpu::DriverVersion>& floor,
                                 std::vector<solve::Requirement>& into) const {
  if (!floor || !target_.driver) return;
  into.push_back({{kDriverPackage, ""},
                  ">=" + floor->text(),
                  fmt::format("an NVIDIA driver of {} or newer", floor->text())});
}

/// A CUDA that is too new for the driver runs on the libcuda of cuda-compat, where there is one.
void ChainSource::require_driver_or_compat(const std::optional<gpu::DriverVersion>& floor,
                                           std::vector<solve::Requirement>& into) const {
  const bool is_old = floor && target_.driver && !gpu::reaches(*target_.driver, *floor);
  if (!is_old || target_.cuda_compat.empty()) return require_driver(floor, into);
  into.push_back({{std::string(kCompatPrefix) + target_.cuda_compat, ""},
                  ">=" + floor->text(),
                  fmt::format("a cuda-compat of driver {} or newer beside driver {}", floor->text(),
                              target_.driver->text())});
}

void ChainSource::require_driver_before(const std::optional<gpu::DriverVersion>& last,
                                        std::vector<solve::Requirement>& into) const {
  if (!last || !target_.driver) return;
  into.push_back({{kDriverPackage, ""},
                  "<=" + last->text(),
                  fmt::format("an NVIDIA driver of the branch {} or older", last->branch())});
}

solve::CandidateList ChainSource::cuda_candidates() const {
  std::set<version::Version, std::greater<>> versions;
  for (const std::string& cuda : gpu::known_cudas(tables_)) {
    const auto version = version::Version::parse(cuda);
    if (version.ok()) versions.insert(version.value());
  }
  solve::CandidateList list;
  for (const version::Version& version : versions) {
    solve::Candidate candidate;
    candidate.version = version.text();
    require_driver_or_compat(gpu::driver_floor(tables_, candidate.version), candidate.requirements);
    list.candidates.push_back(std::move(candidate));
  }
  return list;
}

solve::CandidateList ChainSource::driver_candidates() const {
  solve::CandidateList list;
  list.given =
      fmt::format("the oldest driver that slipway.toml allows is {}", target_.driver->text());
  list.candidates.push_back({target_.driver->text(), false, false, "", "", {}});
  return list;
}

solve::CandidateList ChainSource::compat_candidates() const {
  const auto* const row = gpu::find_forward_compatibility(tables_, target_.cuda_compat);
  SLIPWAY_CHECK(row != nullptr);
  solve::CandidateList list;
  list.given = fmt::format("the cuda-compat {} of slipway.toml has the driver {}", row->cuda,
                           row->driver.text());
  solve::Candidate candidate;
  candidate.version = row->cuda;
  std::vector<std::string> branches;
  for (const int branch : row->branches) branches.push_back(std::to_string(branch));
  candidate.requirements.push_back(
      {{kDriverPackage, ""},
       fmt::format("{}{}", kInBranches, fmt::join(branches, " ")),
       fmt::format("an NVIDIA driver of branch {}", gpu::branches_text(*row))});
  for (const ChainTarget::Gpu& gpu : target_.gpus) {
    const solve::Package package{std::string(kGpuPrefix) + gpu.name, ""};
    candidate.requirements.push_back({package, std::string(kIsOfKind), "a data-centre GPU"});
    candidate.requirements.push_back(
        {package, std::string(kIsKnown),
         fmt::format("a GPU that driver {} still supports", row->driver.branch())});
  }
  list.candidates.push_back(std::move(candidate));
  return list;
}

solve::CandidateList ChainSource::cpu_candidates() const {
  solve::CandidateList list;
  list.given = fmt::format("slipway.toml says `cpu = \"{}\"`", target_.cpu);
  list.candidates.push_back(
      {fmt::format("{}", cpu_level_number(target_.cpu)), false, false, "", "", {}});
  return list;
}

solve::CandidateList ChainSource::gpu_candidates(const std::string& name) const {
  solve::CandidateList list;
  for (const ChainTarget::Gpu& gpu : target_.gpus) {
    if (kGpuPrefix.size() + gpu.name.size() != name.size() || !name.ends_with(gpu.name)) continue;
    list.given = fmt::format("the {} of slipway.toml has compute capability {}", gpu.name,
                             gpu.model.capability.text());
    if (!target_.cuda_compat.empty()) list.given += kind_of_gpu(gpu.model);
    solve::Candidate candidate;
    candidate.version = gpu.model.capability.text();
    require_driver(gpu.model.first_driver, candidate.requirements);
    require_driver_before(gpu.model.last_driver, candidate.requirements);
    list.candidates.push_back(std::move(candidate));
  }
  return list;
}

/// Constraints: see capabilities_constraint, kIsOfKind and kIsKnown.
Result<bool> ChainSource::gpu_meets(const std::string& name, const solve::Candidate& candidate,
                                    const std::string& constraint) const {
  if (constraint != kIsOfKind && constraint != kIsKnown)
    return has_code_for(TRY(gpu::parse_compute_capability(candidate.version)), constraint);
  const auto* const row = gpu::find_forward_compatibility(tables_, target_.cuda_compat);
  return std::ranges::any_of(target_.gpus, [&](const ChainTarget::Gpu& gpu) {
    if (std::string(kGpuPrefix) + gpu.name != name || row == nullptr) return false;
    return constraint == kIsOfKind ? gpu::fits_kind(*row, gpu.model.kind)
                                   : gpu::knows_chip(*row, gpu.model);
  });
}

Result<solve::Selection> ChainSource::select(const std::string& name,
                                             const solve::CandidateList& list,
                                             const std::string& constraint) {
  const bool is_ours = name == kCudaPackage || name == kDriverPackage ||
                       name.starts_with(kCompatPrefix) || name == kCpuPackage ||
                       name.starts_with(kGpuPrefix);
  if (!is_ours) return python_.select(name, list, constraint);
  solve::Selection selection;
  for (const solve::Candidate& candidate : list.candidates) {
    bool matches = constraint.empty();
    if (!matches && name.starts_with(kGpuPrefix)) {
      matches = TRY(gpu_meets(name, candidate, constraint));
    } else if (!matches && name == kDriverPackage) {
      matches = TRY(driver_meets(candidate.version, constraint));
    } else if (!matches && name.starts_with(kCompatPrefix)) {
      const auto* const row = gpu::find_forward_compatibility(tables_, candidate.version);
      matches = row != nullptr &&
                gpu::reaches(row->driver, TRY(gpu::parse_driver_version(constraint.substr(2))));
    } else if (!matches) {
      const auto cudas = TRY(version::SpecifierSet::parse(constraint));
      matches = cudas.contains(TRY(version::Version::parse(candidate.version)));
    }
    selection.matches.push_back(matches);
  }
  return selection;
}

}  // namespace slipway::plan
