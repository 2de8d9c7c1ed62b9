#include "plan/remedies.h"

#include <algorithm>
#include <set>
#include <utility>

#include "gpu/chain_tables.h"
#include "gpu/forward_compatibility.h"
#include "plan/target_facts.h"
#include "version/requirement.h"

namespace slipway::plan {
namespace {

// A conflict may speak of many; the first ones are asked for by name.
constexpr std::size_t kMostPackages = 6;
constexpr std::size_t kMostRemedies = 5;
// Setting several packages free costs a solve for each.
constexpr std::size_t kMostFreed = 20;

class Search {
 public:
  Search(const spec::Project& project, const SolveAgain& solve_again)
      : project_(project), solve_again_(solve_again) {}

  std::vector<std::string> found;

  bool is_full() const { return found.size() >= kMostRemedies; }

  /// The lowest other driver from which on it works; below the present one, where newer branches
  /// have dropped a GPU.
  Result<void> move_driver(const gpu::CompatibilityTables& tables) {
    spec::Project changed = project_;
    if (TRY(find_driver(tables, changed))) found.push_back(driver_change(changed) + " would do");
    return {};
  }

  /// The cuda-compat of the oldest CUDA with which it works.
  Result<void> add_compat(const gpu::CompatibilityTables& tables) {
    if (project_.target.driver.empty() || project_.target.gpus.empty()) return {};
    spec::Project changed = project_;
    for (const gpu::ForwardCompatibility& row : tables.forward_compatibilities) {
      if (row.cuda == project_.target.cuda_compat) continue;
      changed.target.cuda_compat = row.cuda;
      if (!TRY(works(changed))) continue;
      found.push_back(fmt::format(
          "`cuda-compat = \"{}\"` in [target] would do, on hosts that bring that package of NVIDIA",
          row.cuda));
      return {};
    }
    return {};
  }

  Result<void> drop_gpus() {
    const bool needs_one = !project_.target.cuda_compat.empty();
    if (needs_one && project_.target.gpus.size() == 1) return {};
    for (std::size_t i = 0; i < project_.target.gpus.size(); ++i) {
      spec::Project changed = project_;
      changed.target.gpus.erase(changed.target.gpus.begin() + static_cast<std::ptrdiff_t>(i));
      if (TRY(works(changed))) {
        found.push_back(
            fmt::format("without `{}` in target.gpu it would do", project_.target.gpus[i]));
      }
    }
    return {};
  }

  /// Takes the bounds off a package.
  Result<void> free_package(std::size_t index) {
    spec::Project changed = project_;
    std::string& text = changed.python.packages[index];
    text = TRY(without_bounds(text));
    if (text == project_.python.packages[index]) return {};
    if (TRY(works(changed))) found.push_back(TRY(package_change(index)) + " would do");
    return {};
  }

  /// Several changes at once: all is set free that can be, and taken back one by one where it works
  /// without.
  Result<void> change_together(const gpu::CompatibilityTables& tables) {
    spec::Project changed = project_;
    changed.target.driver.clear();
    for (std::string& text : changed.python.packages) text = TRY(without_bounds(text));
    if (!TRY(works(changed))) return {};
    std::vector<std::size_t> freed;
    for (std::size_t i = 0; i < changed.python.packages.size(); ++i) {
      std::string& text = changed.python.packages[i];
      if (text == project_.python.packages[i]) continue;
      const std::string free = std::exchange(text, project_.python.packages[i]);
      if (TRY(works(changed))) continue;
      text = free;
      freed.push_back(i);
    }
    changed.target.driver = project_.target.driver;
    const bool same_driver = TRY(works(changed));
    if (!same_driver && !TRY(find_driver(tables, changed))) return {};
    std::vector<std::string> changes;
    if (!same_driver) changes.push_back(driver_change(changed));
    for (const std::size_t i : freed) changes.push_back(TRY(package_change(i)));
    if (changes.size() > 1) {
      found.push_back(fmt::format("{} would do together", fmt::join(changes, ", and ")));
    }
    return {};
  }

  Result<void> drop_package(std::size_t index) {
    spec::Project changed = project_;
    changed.python.packages.erase(changed.python.packages.begin() +
                                  static_cast<std::ptrdiff_t>(index));
    if (TRY(works(changed))) {
      found.push_back(fmt::format("without `{}` in python.packages it would do",
                                  project_.python.packages[index]));
    }
    return {};
  }

 private:
  static Result<std::string> without_bounds(const std::string& text) {
    version::Requirement requirement = TRY(version::parse_requirement(text));
    if (requirement.specifiers.empty()) return text;
    requirement.specifiers = {};
    return requirement.text();
  }

  /// Sets the lowest other driver from which on `changed` works; whether there is one.
  Result<bool> find_driver(const gpu::CompatibilityTables& tables, spec::Project& changed) {
    if (project_.target.driver.empty()) return false;
    const auto facts = TRY(find_target_facts(project_.target, tables));
    const gpu::DriverVersion& present = *facts.chain.driver;
    for (const gpu::DriverVersion& driver : possible_drivers(tables)) {
      changed.target.driver = ">=" + driver.text();
      if (gpu::compare(driver, present) < 0) changed.target.driver += ",<" + present.text();
      if (TRY(works(changed))) return true;
    }
    return false;
  }

  /// Those from which on something more works, and those for which the target's cuda-compat stands
  /// in; lowest first.
  std::vector<gpu::DriverVersion> possible_drivers(const gpu::CompatibilityTables& tables) const {
    std::vector<gpu::DriverVersion> drivers = gpu::driver_floors(tables);
    const auto* const row = gpu::find_forward_compatibility(tables, project_.target.cuda_compat);
    if (row == nullptr) return drivers;
    for (const int branch : row->branches) drivers.push_back({{branch}});
    std::ranges::sort(drivers, [](const auto& a, const auto& b) { return compare(a, b) < 0; });
    return drivers;
  }

  static std::string driver_change(const spec::Project& changed) {
    return fmt::format("`driver = \"{}\"` in [target]", changed.target.driver);
  }

  /// To what the last solve has chosen.
  Result<std::string> package_change(std::size_t index) const {
    const std::string& text = project_.python.packages[index];
    const std::string name = TRY(version::parse_requirement(text)).name.text();
    return fmt::format("`{}=={}` in place of `{}`", name, chosen(name), text);
  }

  Result<bool> works(const spec::Project& changed) {
    Result<SolveOutcome> outcome = solve_again_(changed);
    if (!outcome.ok()) {
      if (outcome.error().kind == ErrorKind::Cancelled) return outcome.error();
      return false;
    }
    const auto* solution = std::get_if<solve::Solution>(&outcome.value());
    if (solution != nullptr) solution_ = *solution;
    return solution != nullptr;
  }

  std::string chosen(const std::string& name) const {
    for (const solve::Chosen& package : solution_.packages) {
      if (package.name == name) return package.version;
    }
    return {};
  }

  const spec::Project& project_;
  const SolveAgain& solve_again_;
  solve::Solution solution_;  ///< the last one
};

/// The asked packages of which the conflict speaks, as indexes into python.packages.
std::vector<std::size_t> blamed_packages(const spec::Project& project,
                                         const solve::Conflict& conflict) {
  std::set<std::string> names;
  for (const solve::Fact& fact : conflict.facts) {
    if (fact.kind == solve::FactKind::Asked) names.insert(fact.requirement.package.name);
  }
  std::vector<std::size_t> indexes;
  for (std::size_t i = 0; i < project.python.packages.size(); ++i) {
    const auto requirement = version::parse_requirement(project.python.packages[i]);
    if (requirement.ok() && names.contains(requirement->name.text())) indexes.push_back(i);
  }
  if (indexes.size() > kMostPackages) indexes.resize(kMostPackages);
  return indexes;
}

bool speaks_of_driver(const solve::Conflict& conflict) {
  return std::ranges::any_of(conflict.facts, [](const solve::Fact& fact) {
    const std::string& name = fact.requirement.package.name;
    return name == kDriverPackage || name.starts_with(kCompatPrefix);
  });
}

}  // namespace

Result<std::vector<std::string>> find_remedies(const spec::Project& project,
                                               const solve::Conflict& conflict,
                                               const gpu::CompatibilityTables& tables,
                                               const SolveAgain& solve_again) {
  Search search(project, solve_again);
  TRY(search.move_driver(tables));
  if (speaks_of_driver(conflict)) TRY(search.add_compat(tables));
  const std::size_t before = search.found.size();
  TRY(search.drop_gpus());
  const std::size_t given_up = before == 0 ? search.found.size() : 0;
  const std::vector<std::size_t> blamed = blamed_packages(project, conflict);
  for (const std::size_t index : blamed) {
    if (!search.is_full()) TRY(search.free_package(index));
  }
  // To give a GPU up is no remedy for whoever has one.
  const bool keeps_gpus = search.found.size() > given_up;
  if (!keeps_gpus && project.python.packages.size() <= kMostFreed) {
    TRY(search.change_together(tables));
  }
  if (!search.found.empty() || blamed.size() < 2) return std::move(search.found);
  for (const std::size_t index : blamed) {
    if (!search.is_full()) TRY(search.drop_package(index));
  }
  return std::move(search.found);
}

}  // namespace slipway::plan
