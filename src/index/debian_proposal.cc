#include <algorithm>
#include <set>

#include "index/debian_pool_state.h"

namespace slipway::index {
namespace {

/// Alternatives of `a | (b | c)`, in order.
std::vector<Id> alternatives_of(Pool* pool, Id dependency) {
  std::vector<Id> alternatives;
  while (ISRELDEP(dependency)) {
    const Reldep* relation = GETRELDEP(pool, dependency);
    if (relation->flags != REL_OR) break;
    alternatives.push_back(relation->name);
    dependency = relation->evr;
  }
  alternatives.push_back(dependency);
  return alternatives;
}

/// apt's changelog: from here on it upgrades all of a source together.
constexpr const char* kUpgradesBySource = "2.5.2";

bool upgrades_by_source(Pool* pool) {
  const Id apt = find_installed(pool, pool_str2id(pool, "apt", 1));
  return apt != 0 && pool_evrcmp_str(pool, pool_id2str(pool, pool->solvables[apt].evr),
                                     kUpgradesBySource, EVRCMP_COMPARE) >= 0;
}

Id name_of(Pool* pool, Id dependency) {
  while (ISRELDEP(dependency)) dependency = GETRELDEP(pool, dependency)->name;
  return dependency;
}

class Proposal {
 public:
  Proposal(Pool* pool, const std::map<Id, Id>& preferred, std::span<const Id> held)
      : pool_(pool), preferred_(preferred) {
    if (pool->installed == nullptr) return;
    Id id = 0;
    Solvable* solvable = nullptr;
    FOR_REPO_SOLVABLES(pool->installed, id, solvable) chosen_.insert(id);
    if (!upgrades_by_source(pool)) return;
    for (const Id one : chosen_) {
      if (std::find(held.begin(), held.end(), one) == held.end())
        installed_of_source_[source_of(pool, one).name].push_back(one);
    }
  }

  void add(Id solvable) {
    if (!chosen_.insert(solvable).second) return;
    order_.push_back(solvable);
    const Id installed = find_installed(pool_, pool_->solvables[solvable].name);
    if (installed != solvable) chosen_.erase(installed);
  }

  /// Plain dependencies first: what they bring decides which alternative is there already.
  void close() {
    std::size_t plain = 0, choices = 0, sources = 0;
    while (sources < order_.size()) {
      if (plain < order_.size()) {
        follow(order_[plain++], /*only_plain=*/true);
      } else if (choices < order_.size()) {
        follow(order_[choices++], /*only_plain=*/false);
      } else {
        upgrade_source_of(order_[sources++]);
      }
    }
  }

  std::vector<Id> order() && { return std::move(order_); }

  Id best_for(Id dependency) const {
    const Id name = name_of(pool_, dependency);
    Id best = 0;
    for (const Id candidate : find_providers(pool_, dependency)) {
      if (best == 0 || is_better(candidate, best, name)) best = candidate;
    }
    return best;
  }

 private:
  void follow(Id solvable, bool only_plain) {
    const Solvable& of = pool_->solvables[solvable];
    if (of.requires_ == 0) return;
    for (const Id* id = of.repo->idarraydata + of.requires_; *id != 0; ++id) {
      const auto alternatives = alternatives_of(pool_, *id);
      if ((alternatives.size() == 1) != only_plain || is_satisfied(*id)) continue;
      for (const Id alternative : alternatives) {
        if (const Id best = best_for(alternative); best != 0) {
          add(best);
          break;
        }
      }
    }
  }

  /// What is installed of its source and has a version of that very source.
  void upgrade_source_of(Id solvable) {
    const SourceIds source = source_of(pool_, solvable);
    const auto installed = installed_of_source_.find(source.name);
    if (installed == installed_of_source_.end()) return;
    for (const Id one : installed->second) {
      if (chosen_.count(one) == 0) continue;
      const Id best = best_for(pool_->solvables[one].name);
      if (best != one && source_of(pool_, best) == source) add(best);
    }
  }

  bool is_satisfied(Id dependency) const {
    for (const Id provider : find_providers(pool_, dependency)) {
      if (chosen_.count(provider) > 0) return true;
    }
    return false;
  }

  bool is_better(Id a, Id b, Id name) const {
    const Solvable& left = pool_->solvables[a];
    const Solvable& right = pool_->solvables[b];
    // The package of that name goes before those that only provide it; then by name, so that the
    // choice does not depend on the order of the archive.
    if ((left.name == name) != (right.name == name)) return left.name == name;
    if (left.name != right.name) {
      return std::string_view(pool_id2str(pool_, left.name)) < pool_id2str(pool_, right.name);
    }
    if (const auto wish = preferred_.find(left.name); wish != preferred_.end()) {
      if (wish->second == a || wish->second == b) return wish->second == a;
    }
    if (left.repo->priority != right.repo->priority)
      return left.repo->priority > right.repo->priority;
    const int order = pool_evrcmp(pool_, left.evr, right.evr, EVRCMP_COMPARE);
    // Of one version the installed: nothing has to be done for it.
    return order > 0 || (order == 0 && left.repo == pool_->installed && left.repo != right.repo);
  }

  Pool* pool_;
  const std::map<Id, Id>& preferred_;
  std::set<Id> chosen_;
  std::map<Id, std::vector<Id>> installed_of_source_;  ///< by name; empty where apt does not look
  std::vector<Id> order_;
};

}  // namespace

std::vector<Id> find_providers(Pool* pool, Id dependency) {
  std::vector<Id> found;
  for (const Id* id = pool_whatprovides_ptr(pool, dependency); *id != 0; ++id) {
    if (pool_installable(pool, pool->solvables + *id) != 0) found.push_back(*id);
  }
  return found;
}

std::vector<Id> find_by_name(Pool* pool, Id name) {
  std::vector<Id> found;
  for (const Id id : find_providers(pool, name)) {
    if (pool->solvables[id].name == name) found.push_back(id);
  }
  return found;
}

Id find_installed(Pool* pool, Id name) {
  for (const Id id : find_by_name(pool, name)) {
    if (pool->installed != nullptr && pool->solvables[id].repo == pool->installed) return id;
  }
  return 0;
}

SourceIds source_of(Pool* pool, Id solvable) {
  Solvable* of = pool->solvables + solvable;
  const Id name = solvable_lookup_id(of, SOLVABLE_SOURCENAME);
  const Id evr = solvable_lookup_id(of, SOLVABLE_SOURCEEVR);
  return {name != 0 ? name : of->name, evr != 0 ? evr : of->evr};
}

std::vector<Id> propose_like_apt(Pool* pool, std::span<const Id> names,
                                 const std::map<Id, Id>& preferred_by_name,
                                 std::span<const Id> held) {
  Proposal proposal(pool, preferred_by_name, held);
  for (const Id name : names) {
    if (const Id best = proposal.best_for(name); best != 0) proposal.add(best);
  }
  proposal.close();
  return std::move(proposal).order();
}

}  // namespace slipway::index
