#include "solve/solve.h"

#include <algorithm>
#include <set>

#include "solve/derivation.h"
#include "solve/scout.h"
#include "solve/search.h"

namespace slipway::solve {
namespace {

struct Links {
  std::set<std::string> extras, unknown_extras, needs, needed_by;
};

std::size_t decided_version(const Search& search, PackageId package) {
  const CandidateSet& states = *search.solution().find_states(package);
  std::size_t candidate = 0;
  while (!states.contains(candidate)) ++candidate;
  return candidate;
}

std::map<PackageId, Links> collect_links(Catalogue& catalogue, const Search& search,
                                         const std::string& asker) {
  std::map<PackageId, Links> links;
  for (PackageId id = 0; id < catalogue.size(); ++id) {
    if (!search.solution().is_decided(id)) continue;
    const PackageId base = catalogue.base(id);
    const std::size_t version = decided_version(search, id);
    const Dependencies& dependencies = *catalogue.find_dependencies(id, version);
    if (base != id) links[base].extras.insert(catalogue.package(id).extra);
    if (dependencies.is_unknown_extra) {
      links[base].unknown_extras.insert(catalogue.package(id).extra);
    }
    std::vector<Requirement> requirements = dependencies.requirements;
    const auto& early = catalogue.known_list(base).candidates[version].requirements;
    requirements.insert(requirements.end(), early.begin(), early.end());
    for (const Requirement& requirement : requirements) {
      const PackageId object = catalogue.intern({requirement.package.name, ""});
      if (object == base) continue;
      links[base].needs.insert(requirement.package.name);
      links[object].needed_by.insert(base == kRoot ? asker : catalogue.package(base).name);
    }
  }
  return links;
}

std::vector<std::string> sorted(const std::set<std::string>& names) {
  return {names.begin(), names.end()};
}

Solution make_solution(Catalogue& catalogue, const Search& search, const std::string& asker) {
  Solution solution;
  const std::map<PackageId, Links> links = collect_links(catalogue, search, asker);
  for (const auto& [id, link] : links) {
    if (id == kRoot) continue;
    const CandidateList& list = catalogue.known_list(id);
    const Candidate& candidate = list.candidates[decided_version(search, id)];
    solution.packages.push_back({catalogue.package(id).name, candidate.version, sorted(link.extras),
                                 sorted(link.unknown_extras), sorted(link.needs),
                                 sorted(link.needed_by), !list.given.empty(), candidate.is_yanked});
  }
  std::sort(solution.packages.begin(), solution.packages.end(),
            [](const Chosen& a, const Chosen& b) { return a.name < b.name; });
  solution.statistics = catalogue.statistics();
  return solution;
}

}  // namespace

Result<std::variant<Solution, Conflict>> solve(const Request& request, PackageSource& source,
                                               const CancelToken& cancel) {
  using Answer = std::variant<Solution, Conflict>;
  Catalogue catalogue(request, source);
  scout(catalogue, cancel);
  for (;;) {
    Search search(catalogue, cancel);
    switch (TRY(search.run())) {
      case Search::Outcome::Solved:
        return Answer(make_solution(catalogue, search, request.asker));
      case Search::Outcome::NoSolution:
        return Answer(make_conflict(catalogue, search, request.asker));
      case Search::Outcome::Restart:
        ++catalogue.statistics().restarts;
        break;
    }
  }
}

}  // namespace slipway::solve
