/// Terms that cannot all hold in a solution. Private to `solve`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "solve/candidate_set.h"
#include "solve/catalogue.h"
#include "solve/conflict.h"

namespace slipway::solve {

using IncompatibilityId = std::size_t;

/// "The package is in one of these states."
struct Term {
  PackageId package = kRoot;
  CandidateSet states;
};

struct Incompatibility {
  std::vector<Term> terms;  ///< each package once, sorted
  FactKind kind = FactKind::Derived;
  IncompatibilityId left = 0, right = 0;  ///< of Derived
  PackageId subject = kRoot;              ///< of the others
  CandidateSet subjects;
  PackageId object = kRoot;
  Requirement requirement;
  bool is_empty = false;
  bool wants_prereleases = false;
  std::string reason;
  /// A wider one says the same of more versions and stands in this one's place.
  std::optional<IncompatibilityId> replaced_by;
};

/// Adds a term to a conjunction: the intersection where the package is there already.
void add_term(std::vector<Term>& terms, Term term);

/// What follows from both where they disagree about `package` only (the resolution rule).
std::vector<Term> resolve_terms(const Incompatibility& left, const Incompatibility& right,
                                PackageId package);

}  // namespace slipway::solve
