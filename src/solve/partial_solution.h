/// What is decided and what follows from it, in order. Private to `solve`.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "solve/candidate_set.h"
#include "solve/catalogue.h"
#include "solve/incompatibility.h"

namespace slipway::solve {

/// One step of the trail.
struct Assignment {
  PackageId package = kRoot;
  CandidateSet own;                        ///< what this step says by itself
  CandidateSet states;                     ///< what this and all earlier steps say
  std::size_t level = 0;                   ///< decisions up to here
  std::optional<IncompatibilityId> cause;  ///< nothing: a decision
};

class PartialSolution {
 public:
  std::size_t level() const { return level_; }

  /// Null where nothing is known of the package yet.
  const CandidateSet* find_states(PackageId package) const;
  bool is_decided(PackageId package) const;
  /// Of a decided package: the level that its decision began.
  std::size_t decision_level(PackageId package) const;
  /// Packages that must be in the solution and have no version yet, in the order of the trail.
  std::vector<PackageId> undecided() const;

  void decide(PackageId package, CandidateSet version);
  void derive(PackageId package, CandidateSet own, IncompatibilityId cause);
  void backtrack(std::size_t level);

  const Assignment& operator[](std::size_t position) const { return trail_[position]; }
  /// The first step by which the term holds. It must hold.
  std::size_t satisfier(const Term& term) const;
  /// For the step that completes `term`: the level at which the steps before it, together with it,
  /// are enough; 0 where it is enough alone.
  std::size_t level_needed_before(const Term& term, std::size_t position) const;

 private:
  void push(Assignment assignment);

  std::vector<Assignment> trail_;
  std::vector<std::vector<std::size_t>> positions_;  ///< by package
  std::vector<bool> decided_;
  std::size_t level_ = 0;
};

}  // namespace slipway::solve
