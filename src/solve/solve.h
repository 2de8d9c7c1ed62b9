/// Finds versions of packages that fit together: PubGrub (Weizenbaum, 2018).
///
/// Conflict-driven: what led to a conflict is learned as an incompatibility, so no dead end is
/// entered twice, and a request that cannot be met comes back with the derivation of why. Lazy: it
/// asks the dependencies only of versions that it tries, and before that lets the source fetch
/// ahead in parallel. Deterministic: same request and same source, same answer. Pure CPU apart from
/// what the source does.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "solve/conflict.h"
#include "solve/package_source.h"

namespace slipway::solve {

struct Request {
  std::vector<Requirement> requirements;
  /// Name -> version of an old lock. Kept wherever it is allowed, yanked and pre-releases too.
  std::map<std::string, std::string> preferences;
  /// Who asks, as explanations name it: "slipway.toml".
  std::string asker = "slipway.toml";
};

/// A package of the solution.
struct Chosen {
  std::string name;
  std::string version;
  std::vector<std::string> extras;          ///< that something asked for; sorted
  std::vector<std::string> unknown_extras;  ///< of those, what the version does not have
  std::vector<std::string> needs;           ///< names, sorted, those of its extras included
  std::vector<std::string> needed_by;       ///< names, sorted; the asker's name where it asks
  bool is_given = false;                    ///< a fact about the target (CandidateList::given)
  bool is_yanked = false;
  bool operator==(const Chosen&) const = default;
};

struct Statistics {
  std::size_t decisions = 0;
  std::size_t conflicts = 0;
  std::size_t restarts = 0;
  std::size_t lists_read = 0;         ///< calls of PackageSource::candidates
  std::size_t dependencies_read = 0;  ///< calls of PackageSource::dependencies
};

struct Solution {
  std::vector<Chosen> packages;  ///< sorted by name
  Statistics statistics;
};

/// Blocks as long as the source does. "No solution" is an answer: a Conflict. Fails with what the
/// source fails with, or Cancelled.
Result<std::variant<Solution, Conflict>> solve(const Request& request, PackageSource& source,
                                               const CancelToken& cancel);

}  // namespace slipway::solve
