/// Why there is no solution: the derivation, with all that is needed to tell it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "solve/candidate_set.h"
#include "solve/package_source.h"

namespace slipway::solve {

/// What a step of the derivation rests on.
enum class FactKind {
  Derived,     ///< follows from two others
  Asked,       ///< the request requires something
  Dependency,  ///< versions of a package require something
  Excluded,    ///< versions cannot be used: yanked, pre-release, no wheel, bad metadata
  Binding,     ///< an extra has the version of its package
};

/// "These cannot all hold." A state of a package is one of its candidates, or absent.
struct ConflictTerm {
  std::size_t package = 0;  ///< index into Conflict::packages
  CandidateSet states;
};

struct Fact {
  FactKind kind = FactKind::Derived;
  std::vector<ConflictTerm> terms;
  std::size_t left = 0, right = 0;  ///< of Derived: indexes into Conflict::facts, below this one's
  std::size_t subject = 0;          ///< of the others: package
  CandidateSet subjects;            ///< and its versions
  Requirement requirement;          ///< of Asked and Dependency
  std::size_t object = 0;           ///< of Asked and Dependency: the required package
  bool is_empty = false;            ///< of Asked and Dependency: no candidate meets it
  std::string reason;               ///< of Excluded: "was yanked", the end of a sentence
};

struct ConflictPackage {
  Package package;
  CandidateList list;  ///< versions, newest first; without requirements
};

struct Conflict {
  std::string asker;
  std::vector<ConflictPackage> packages;
  std::vector<Fact> facts;  ///< causes before what follows from them; the last one is the end
};

}  // namespace slipway::solve
