/// What the solver has learned of the packages so far: each thing is asked of the source once and
/// kept over restarts. Private to `solve`.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "solve/candidate_set.h"
#include "solve/package_source.h"
#include "solve/solve.h"

namespace slipway::solve {

using PackageId = std::size_t;

/// The request itself is a package with one version, so that its requirements are like any other's.
inline constexpr PackageId kRoot = 0;

/// A requirement over the candidates that exist.
struct Demand {
  PackageId object = kRoot;
  CandidateSet allowed;  ///< without "absent"
  bool wants_prereleases = false;
};

/// Versions that are never chosen, all for the same reason.
struct Exclusion {
  CandidateSet versions;
  std::string reason;
};

class Catalogue {
 public:
  Catalogue(const Request& request, PackageSource& source);

  PackageId intern(const Package& package);
  std::size_t size() const { return packages_.size(); }
  const Package& package(PackageId id) const { return packages_[id].package; }
  /// The package itself for an extra.
  PackageId base(PackageId id) const { return packages_[id].base; }
  bool is_extra(PackageId id) const { return packages_[id].base != id; }

  /// Reads the list where that was not done yet. What follows needs the list.
  Result<const CandidateList*> list(PackageId id);
  const CandidateList& known_list(PackageId id) const { return *packages_[base(id)].list; }
  std::size_t count(PackageId id) const { return known_list(id).candidates.size(); }

  /// Reads the object's list. May open versions: see `exclusions`.
  Result<const Demand*> demand(const Requirement& requirement);
  Result<const Dependencies*> dependencies(PackageId id, std::size_t candidate);
  /// Those that were read; null where they were not.
  const Dependencies* find_dependencies(PackageId id, std::size_t candidate) const;

  /// Unusable versions, yanked ones and pre-releases; but a demand, a preference, or that there is
  /// nothing else, opens yanked versions and pre-releases.
  std::vector<Exclusion> exclusions(PackageId id);
  /// True once since a version was opened whose exclusion had been handed out: what was concluded
  /// from that is void, and the search starts again.
  bool take_restart() { return std::exchange(needs_restart_, false); }
  void forget_exclusions_given();

  /// The candidate to try first, out of `states`: the preferred one, final releases, then the rest.
  std::size_t choose(PackageId id, const CandidateSet& states, bool wants_prereleases) const;
  bool is_excluded(PackageId id, std::size_t candidate) const;

  void prefetch_list(PackageId id);
  void prefetch_dependencies(PackageId id, std::size_t candidate);

  Statistics& statistics() { return statistics_; }

 private:
  struct Entry {
    Package package;
    PackageId base = kRoot;
    std::optional<CandidateList> list;
    std::vector<bool> opened;
    bool exclusions_given = false;
    bool is_prefetched = false;
    std::optional<std::size_t> preferred;
    std::map<std::size_t, Dependencies> dependencies;
    std::set<std::size_t> prefetched;
    std::map<std::string, Demand> demands;
  };

  void prepare(Entry& entry);
  void open(Entry& entry, std::size_t candidate);
  void open_for(Entry& entry, const Selection& selection, Demand& demand);

  const Request& request_;
  PackageSource& source_;
  std::deque<Entry> packages_;  ///< references stay valid
  std::map<Package, PackageId> ids_;
  bool needs_restart_ = false;
  Statistics statistics_;
};

}  // namespace slipway::solve
