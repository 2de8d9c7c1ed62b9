#include "solve/search.h"

#include <algorithm>

namespace slipway::solve {
namespace {

// A package that was part of this many conflicts is decided early, so that its conflicts show
// before much is built on it.
constexpr std::size_t kManyConflicts = 4;
// See make_way.
constexpr std::size_t kManyRefusals = 5;
// From this many tries on, the metadata of further versions is fetched ahead, ever more of them.
constexpr std::size_t kManyTries = 4;
constexpr std::size_t kMostAhead = 32;

}  // namespace

Search::Search(Catalogue& catalogue, const CancelToken& cancel)
    : catalogue_(catalogue), cancel_(cancel) {
  catalogue_.forget_exclusions_given();
}

Result<Search::Outcome> Search::run() {
  std::optional<PackageId> next = kRoot;
  while (next) {
    TRY(cancel_.check());
    const Step step = TRY(decide(*next));
    if (step == Step::Restart) return Outcome::Restart;
    if (!propagate(*next)) return Outcome::NoSolution;
    next = next_package();
  }
  return Outcome::Solved;
}

/// Pins first: they cost nothing. Then what keeps conflicting, then what the user asked for, so
/// that it gets the newest versions, and of that first what the user keeps from the newest: with a
/// bound comes the wish for the version just below it. The fewer the versions the sooner.
std::optional<PackageId> Search::next_package() const {
  using Priority = std::tuple<int, std::size_t, std::size_t>;
  std::optional<PackageId> best;
  Priority best_priority;
  for (const PackageId package : solution_.undecided()) {
    const bool is_extra = catalogue_.is_extra(package);
    if (is_extra && !solution_.is_decided(catalogue_.base(package))) continue;
    const std::size_t count = solution_.find_states(package)->count();
    const auto conflicts = conflicts_.find(package);
    Priority priority{5, 0, count};
    if (is_extra) {
      priority = {0, 0, 0};
    } else if (count == 1) {
      priority = {1, 0, 0};
    } else if (ahead_.contains(package)) {
      priority = {2, 0, count};
    } else if (behind_.contains(package)) {
      priority = {6, 0, count};
    } else if (conflicts != conflicts_.end() && conflicts->second >= kManyConflicts) {
      priority = {3, ~conflicts->second, count};
    } else if (asked_for_.contains(package)) {
      priority = {4, bounded_.contains(package) ? 0U : 1U, count};
    }
    if (best && best_priority <= priority) continue;
    best = package;
    best_priority = priority;
  }
  return best;
}

Result<Search::Step> Search::decide(PackageId package) {
  std::size_t candidate = 0;
  if (catalogue_.is_extra(package)) {
    const CandidateSet& version = *solution_.find_states(catalogue_.base(package));
    while (!version.contains(candidate)) ++candidate;
    if (add_binding(package, candidate)) return Step::Go;
  } else if (package != kRoot) {
    candidate =
        catalogue_.choose(package, *solution_.find_states(package), wants_prereleases(package));
    prefetch_alternatives(package);
  }
  const Step step = TRY(intake(package, candidate));
  if (step == Step::Restart) return step;
  const Incompatibility* contradiction = find_contradiction(package, candidate);
  if (contradiction != nullptr) {
    make_way(package, *contradiction);
  } else {
    ++catalogue_.statistics().decisions;
    solution_.decide(package, CandidateSet::one(catalogue_.count(package), candidate));
  }
  return Step::Go;
}

/// Takes in what the version requires.
Result<Search::Step> Search::intake(PackageId package, std::size_t candidate) {
  const CandidateSet version = CandidateSet::one(catalogue_.count(package), candidate);
  const Dependencies* dependencies = TRY(catalogue_.dependencies(package, candidate));
  if (!dependencies->unusable.empty()) {
    exclude(package, version, dependencies->unusable);
    return Step::Go;
  }
  for (const Requirement& requirement : dependencies->requirements) {
    catalogue_.prefetch_list(catalogue_.intern(requirement.package));
  }
  for (const Requirement& requirement : dependencies->requirements) {
    TRY(require(package, version, requirement));
  }
  return catalogue_.take_restart() ? Step::Restart : Step::Go;
}

/// An incompatibility that would hold at once: it speaks for itself when propagated.
const Incompatibility* Search::find_contradiction(PackageId package, std::size_t candidate) const {
  if (package == kRoot || package >= watched_.size()) return nullptr;
  const auto holds = [&](const Term& term) {
    if (term.package == package) return term.states.contains(candidate);
    const CandidateSet* states = solution_.find_states(term.package);
    return states != nullptr && states->is_subset_of(term.states);
  };
  for (const IncompatibilityId id : watched_[package]) {
    const std::vector<Term>& terms = incompatibilities_[id].terms;
    if (std::all_of(terms.begin(), terms.end(), holds)) return &incompatibilities_[id];
  }
  return nullptr;
}

/// Where version after version of a package is turned down by what was decided before, the order
/// was wrong: the search would end at a version so old that it states no bounds yet. So the package
/// that turned down the last one steps back behind this one, once for each. What the user asked for
/// steps back only for something else that the user asked for, and with a bound never: it would be
/// answered with an older version because of a package that nobody named.
void Search::make_way(PackageId package, const Incompatibility& contradiction) {
  if (contradiction.terms.size() != 2) return;
  const bool is_first = contradiction.terms.front().package == package;
  const PackageId other = catalogue_.base(contradiction.terms[is_first ? 1 : 0].package);
  if (other == kRoot || other == package || !solution_.is_decided(other)) return;
  if (++refusals_[package] < kManyRefusals || bounded_.contains(other)) return;
  if (asked_for_.contains(other) && !asked_for_.contains(package)) return;
  if (catalogue_.known_list(other).given.empty() && !ahead_.contains(other) &&
      !behind_.contains(package) && behind_.insert(other).second) {
    ahead_.insert(package);
    solution_.backtrack(solution_.decision_level(other) - 1);
  }
}

bool Search::wants_prereleases(PackageId package) const {
  if (package >= watched_.size()) return false;
  return std::any_of(watched_[package].begin(), watched_[package].end(), [&](auto id) {
    const Incompatibility& fact = incompatibilities_[id];
    if (!fact.wants_prereleases || fact.object != package) return false;
    const CandidateSet* subject = solution_.find_states(fact.subject);
    return subject != nullptr && subject->is_subset_of(fact.subjects);
  });
}

void Search::prefetch_alternatives(PackageId package) {
  const std::size_t tries = ++tries_[package];
  if (tries < kManyTries) return;
  std::size_t left = std::min(tries * 2, kMostAhead);
  const CandidateSet& states = *solution_.find_states(package);
  for (std::size_t i = 0; i < catalogue_.count(package) && left > 0; ++i) {
    if (!states.contains(i)) continue;
    catalogue_.prefetch_dependencies(package, i);
    --left;
  }
}

}  // namespace slipway::solve
