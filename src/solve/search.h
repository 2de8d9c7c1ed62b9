/// One run of PubGrub over a Catalogue. Private to `solve`.
///
/// Terms are sets of states (see candidate_set.h), so "satisfied" is "subset", "contradicted" is
/// "disjoint", and the negation of a term is its complement.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "solve/catalogue.h"
#include "solve/incompatibility.h"
#include "solve/partial_solution.h"

namespace slipway::solve {

class Search {
 public:
  enum class Outcome { Solved, NoSolution, Restart };

  Search(Catalogue& catalogue, const CancelToken& cancel);

  Result<Outcome> run();

  const PartialSolution& solution() const { return solution_; }
  const std::vector<Incompatibility>& incompatibilities() const { return incompatibilities_; }
  /// After NoSolution: what was derived from nothing but facts.
  IncompatibilityId failure() const { return failure_; }

 private:
  enum class Relation { Satisfied, AlmostSatisfied, Open };
  enum class Step { Go, Restart };

  // search_propagation.cc
  bool propagate(PackageId changed);
  bool propagate_one(PackageId package, std::vector<PackageId>& work);
  Relation relation(const Incompatibility& incompatibility, const Term** open_term) const;
  std::optional<IncompatibilityId> learn(IncompatibilityId conflict);
  bool is_failure(const Incompatibility& incompatibility) const;

  // search_facts.cc
  Result<void> introduce(PackageId package);
  Result<void> require(PackageId subject, const CandidateSet& subjects,
                       const Requirement& requirement);
  void add_demand(PackageId subject, const CandidateSet& subjects, const Requirement& requirement,
                  const Demand& demand);
  bool add_binding(PackageId extra, std::size_t candidate);
  void exclude(PackageId package, CandidateSet versions, std::string reason);
  IncompatibilityId add(Incompatibility incompatibility);
  void replace(IncompatibilityId old, Incompatibility wider);
  std::vector<IncompatibilityId>& watch(PackageId package);

  // search.cc
  Result<Step> decide(PackageId package);
  Result<Step> intake(PackageId package, std::size_t candidate);
  std::optional<PackageId> next_package() const;
  const Incompatibility* find_contradiction(PackageId package, std::size_t candidate) const;
  void make_way(PackageId package, const Incompatibility& contradiction);
  bool wants_prereleases(PackageId package) const;
  void prefetch_alternatives(PackageId package);

  Catalogue& catalogue_;
  const CancelToken& cancel_;
  PartialSolution solution_;
  std::vector<Incompatibility> incompatibilities_;
  std::vector<std::vector<IncompatibilityId>> watched_;  ///< by package
  std::vector<bool> introduced_;
  std::map<PackageId, std::size_t> conflicts_;
  std::map<PackageId, std::size_t> tries_;
  std::set<PackageId> asked_for_;  ///< by the request itself
  std::set<PackageId> bounded_;    ///< of those, what the request keeps below the newest version
  std::map<PackageId, std::size_t> refusals_;  ///< of its versions, by what was decided before
  std::set<PackageId> ahead_, behind_;         ///< see make_way
  std::map<std::tuple<PackageId, PackageId, std::string>, IncompatibilityId> demands_;
  std::set<std::pair<PackageId, std::size_t>> bindings_;
  IncompatibilityId failure_ = 0;
};

}  // namespace slipway::solve
