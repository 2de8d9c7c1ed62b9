#include <algorithm>

#include "solve/search.h"

namespace slipway::solve {
namespace {

// The request itself is decided first and never taken back.
constexpr std::size_t kRootLevel = 1;

}  // namespace

Search::Relation Search::relation(const Incompatibility& incompatibility,
                                  const Term** open_term) const {
  *open_term = nullptr;
  for (const Term& term : incompatibility.terms) {
    const CandidateSet* states = solution_.find_states(term.package);
    if (states != nullptr) {
      if (states->is_subset_of(term.states)) continue;
      if (states->is_disjoint_from(term.states)) return Relation::Open;  // it can never hold
    }
    if (*open_term != nullptr) return Relation::Open;
    *open_term = &term;
  }
  return *open_term == nullptr ? Relation::Satisfied : Relation::AlmostSatisfied;
}

bool Search::propagate_one(PackageId package, std::vector<PackageId>& work) {
  // Newest first: what was learned last is the most telling.
  for (std::size_t i = watch(package).size(); i-- > 0;) {
    const IncompatibilityId id = watch(package)[i];
    const Term* open_term = nullptr;
    Relation found = relation(incompatibilities_[id], &open_term);
    if (found == Relation::Open) continue;
    IncompatibilityId cause = id;
    if (found == Relation::Satisfied) {
      const auto learned = learn(id);
      if (!learned) return false;
      cause = *learned;
      found = relation(incompatibilities_[cause], &open_term);
      SLIPWAY_CHECK(found == Relation::AlmostSatisfied);
      work.clear();
    }
    const PackageId changed = open_term->package;
    solution_.derive(changed, open_term->states.complement(), cause);
    work.push_back(changed);
    if (cause != id) return true;  // the list that is walked here may have grown
  }
  return true;
}

bool Search::propagate(PackageId changed) {
  std::vector<PackageId> work = {changed};
  while (!work.empty()) {
    const PackageId package = work.back();
    work.pop_back();
    if (!propagate_one(package, work)) return false;
  }
  return true;
}

bool Search::is_failure(const Incompatibility& incompatibility) const {
  return incompatibility.terms.empty() ||
         (incompatibility.terms.size() == 1 && incompatibility.terms.front().package == kRoot);
}

/// Conflict resolution: walks back along the causes to an incompatibility which would have decided
/// something at an earlier level, goes back to that level and returns it. Nothing: no solution.
std::optional<IncompatibilityId> Search::learn(IncompatibilityId conflict) {
  ++catalogue_.statistics().conflicts;
  for (const Term& term : incompatibilities_[conflict].terms) ++conflicts_[term.package];
  IncompatibilityId id = conflict;
  for (;;) {
    const Incompatibility& current = incompatibilities_[id];
    if (is_failure(current)) {
      failure_ = id;
      return std::nullopt;
    }
    std::size_t latest = 0;
    const Term* latest_term = nullptr;
    std::size_t level_before = kRootLevel;
    for (const Term& term : current.terms) {
      const std::size_t position = solution_.satisfier(term);
      if (latest_term == nullptr || position > latest) {
        if (latest_term != nullptr) level_before = std::max(level_before, solution_[latest].level);
        latest = position;
        latest_term = &term;
      } else {
        level_before = std::max(level_before, solution_[position].level);
      }
    }
    const Assignment& step = solution_[latest];
    level_before = std::max(level_before, solution_.level_needed_before(*latest_term, latest));
    if (!step.cause || level_before < step.level) {
      solution_.backtrack(level_before);
      if (id != conflict) {
        for (const Term& term : current.terms) {
          watch(term.package).push_back(id);
          ++conflicts_[term.package];
        }
      }
      return id;
    }
    Incompatibility next;
    next.left = id;
    next.right = *step.cause;
    next.terms = resolve_terms(current, incompatibilities_[*step.cause], step.package);
    id = incompatibilities_.size();
    incompatibilities_.push_back(std::move(next));
  }
}

}  // namespace slipway::solve
