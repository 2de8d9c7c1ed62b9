/// The solver's door: where packages, their versions and their requirements come from.
///
/// The solver knows no ecosystem. A package has a finite list of candidates, and a demand is a text
/// which the source turns into the subset of the list that meets it. So Python's versions, a
/// driver's, CUDA's and glibc's, whose versions have no common order, enter one solve and one
/// explanation. `plan` implements this interface over the indexes and the host's facts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::solve {

/// A package, or an extra of it: a virtual package that is bound to the same version.
struct Package {
  std::string name;   ///< normalised by the source: "torch", "python", later "driver"
  std::string extra;  ///< empty: the package itself
  auto operator<=>(const Package&) const = default;
  std::string text() const { return extra.empty() ? name : name + "[" + extra + "]"; }
};

/// "These versions of that package." `constraint` is empty for any version, else what the source's
/// `select` understands.
struct Requirement {
  Package package;
  std::string constraint;
  /// How people call it: "an NVIDIA driver of 525.60.13 or newer". Empty: the name with the
  /// constraint right behind it, `torch>=2.0`.
  std::string phrase = {};
  auto operator<=>(const Requirement&) const = default;
};

/// One version that exists.
struct Candidate {
  std::string version;  ///< unique in its list
  bool is_prerelease = false;
  bool is_yanked = false;
  std::string yanked_reason;
  /// Not empty: it cannot be used, and why, as the end of "torch 2.6.0 …":
  /// "has no wheel for Python 3.11 on x86_64 with glibc 2.36".
  std::string unusable;
  /// What is known to be required before any metadata is fetched: `python` `>=3.10`.
  std::vector<Requirement> requirements;
};

struct CandidateList {
  std::vector<Candidate> candidates;  ///< best (newest) first
  /// Not empty: there is no such package, and why, as a sentence: "no index has `torhc`".
  std::string missing;
  /// Not empty: the list is a fact about the target, not a choice: "slipway.toml sets Python 3.11".
  std::string given;
};

/// The candidates which meet one constraint.
struct Selection {
  std::vector<bool> matches;  ///< one for each candidate of the list
  /// The constraint asks for pre-releases: it mentions one.
  bool wants_prereleases = false;
  /// The constraint is an exact pin (== or ===), which also admits yanked versions (PEP 592).
  bool is_pin = false;
};

struct Dependencies {
  std::vector<Requirement> requirements;
  /// Not empty: the version cannot be used, and why, as the end of "torch 2.6.0 …":
  /// "has metadata that cannot be read: …".
  std::string unusable;
  /// For an extra: the package does not have it. No failure: it is told in the Solution.
  bool is_unknown_extra = false;
};

/// The solver calls from one thread and asks for each thing once. An Error of any call ends the
/// solve with that error, so that an index which is out of reach never changes what is chosen; what
/// is wrong with one version only is said in `unusable`.
class PackageSource {
 public:
  virtual ~PackageSource() = default;

  /// May block: one request to an index. `name` is never an extra's.
  virtual Result<CandidateList> candidates(const std::string& name) = 0;

  /// May block: one more request. For an extra, what it adds to the package's own requirements (to
  /// repeat those does no harm); the binding to the same version is the solver's.
  virtual Result<Dependencies> dependencies(const Package& package, const Candidate& candidate) = 0;

  /// Never blocks on the network. Called with the list that `candidates` gave. Fails with
  /// InvalidInput where the constraint cannot be read.
  virtual Result<Selection> select(const std::string& name, const CandidateList& list,
                                   const std::string& constraint) = 0;

  /// Hints that never block: `candidates` or `dependencies` will probably be called soon, so the
  /// request may start now. Never called twice for one thing.
  virtual void prefetch_candidates(const std::string& /*name*/) {}
  virtual void prefetch_dependencies(const std::string& /*name*/, const Candidate& /*candidate*/) {}
};

}  // namespace slipway::solve
