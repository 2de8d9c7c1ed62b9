#include "solve/partial_solution.h"

#include <algorithm>

#include "base/check.h"

namespace slipway::solve {

void add_term(std::vector<Term>& terms, Term term) {
  const auto place =
      std::lower_bound(terms.begin(), terms.end(), term.package,
                       [](const Term& each, PackageId package) { return each.package < package; });
  if (place != terms.end() && place->package == term.package) {
    place->states &= term.states;
  } else {
    terms.insert(place, std::move(term));
  }
}

std::vector<Term> resolve_terms(const Incompatibility& left, const Incompatibility& right,
                                PackageId package) {
  std::vector<Term> terms;
  Term joint{package, {}};
  for (const Incompatibility* side : {&left, &right}) {
    for (const Term& term : side->terms) {
      if (term.package != package) {
        add_term(terms, term);
      } else {
        joint.states = joint.states == CandidateSet() ? term.states : joint.states | term.states;
      }
    }
  }
  if (!joint.states.is_everything()) add_term(terms, std::move(joint));
  return terms;
}

const CandidateSet* PartialSolution::find_states(PackageId package) const {
  if (package >= positions_.size() || positions_[package].empty()) return nullptr;
  return &trail_[positions_[package].back()].states;
}

bool PartialSolution::is_decided(PackageId package) const {
  return package < decided_.size() && decided_[package];
}

std::size_t PartialSolution::decision_level(PackageId package) const {
  SLIPWAY_CHECK(is_decided(package));
  for (const std::size_t position : positions_[package]) {
    if (!trail_[position].cause) return trail_[position].level;
  }
  SLIPWAY_CHECK(false);
  return 0;
}

std::vector<PackageId> PartialSolution::undecided() const {
  std::vector<PackageId> packages;
  for (const Assignment& step : trail_) {
    if (step.states.contains_absent() || is_decided(step.package)) continue;
    // Only the step that made the package necessary counts, so that each comes once.
    const std::vector<std::size_t>& positions = positions_[step.package];
    const auto here = static_cast<std::size_t>(&step - trail_.data());
    const auto first = std::find_if(positions.begin(), positions.end(), [&](std::size_t position) {
      return !trail_[position].states.contains_absent();
    });
    if (*first == here) packages.push_back(step.package);
  }
  return packages;
}

void PartialSolution::push(Assignment assignment) {
  const PackageId package = assignment.package;
  if (package >= positions_.size()) {
    positions_.resize(package + 1);
    decided_.resize(package + 1, false);
  }
  assignment.states = assignment.own;
  if (const CandidateSet* before = find_states(package)) assignment.states &= *before;
  assignment.level = level_;
  positions_[package].push_back(trail_.size());
  trail_.push_back(std::move(assignment));
}

void PartialSolution::decide(PackageId package, CandidateSet version) {
  ++level_;
  push({package, std::move(version), {}, 0, std::nullopt});
  decided_[package] = true;
}

void PartialSolution::derive(PackageId package, CandidateSet own, IncompatibilityId cause) {
  push({package, std::move(own), {}, 0, cause});
}

void PartialSolution::backtrack(std::size_t level) {
  while (!trail_.empty() && trail_.back().level > level) {
    const Assignment& last = trail_.back();
    positions_[last.package].pop_back();
    if (!last.cause) decided_[last.package] = false;
    trail_.pop_back();
  }
  level_ = level;
}

std::size_t PartialSolution::satisfier(const Term& term) const {
  const std::vector<std::size_t>& positions = positions_[term.package];
  const auto found = std::partition_point(
      positions.begin(), positions.end(),
      [&](std::size_t position) { return !trail_[position].states.is_subset_of(term.states); });
  SLIPWAY_CHECK(found != positions.end());
  return *found;
}

std::size_t PartialSolution::level_needed_before(const Term& term, std::size_t position) const {
  const Assignment& step = trail_[position];
  if (step.own.is_subset_of(term.states)) return 0;
  for (const std::size_t earlier : positions_[term.package]) {
    if ((trail_[earlier].states & step.own).is_subset_of(term.states)) return trail_[earlier].level;
  }
  SLIPWAY_CHECK(false);
  return 0;
}

}  // namespace slipway::solve
