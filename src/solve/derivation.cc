#include "solve/derivation.h"

#include <map>
#include <vector>

namespace slipway::solve {
namespace {

/// Follows the causes from the failure to the facts, each once, causes first.
class Derivation {
 public:
  Derivation(const Catalogue& catalogue, const Search& search)
      : catalogue_(catalogue), all_(search.incompatibilities()) {}

  Conflict make(IncompatibilityId failure) {
    // An explicit stack: derivations may be thousands of steps deep.
    std::vector<IncompatibilityId> stack = {widest(failure)};
    while (!stack.empty()) {
      const IncompatibilityId id = stack.back();
      const Incompatibility& step = all_[id];
      bool is_ready = true;
      if (step.kind == FactKind::Derived) {
        for (const IncompatibilityId cause : {widest(step.right), widest(step.left)}) {
          if (facts_.contains(cause)) continue;
          stack.push_back(cause);
          is_ready = false;
        }
      }
      if (!is_ready) continue;
      stack.pop_back();
      if (!facts_.contains(id)) add(id);
    }
    return std::move(conflict_);
  }

 private:
  // The widest statement of a fact is as true, and is told once for all versions.
  IncompatibilityId widest(IncompatibilityId id) const {
    while (all_[id].replaced_by) id = *all_[id].replaced_by;
    return id;
  }

  std::size_t package(PackageId id) {
    const auto [place, is_new] = packages_.emplace(id, conflict_.packages.size());
    if (is_new) {
      conflict_.packages.push_back({catalogue_.package(id), catalogue_.known_list(id)});
      for (Candidate& candidate : conflict_.packages.back().list.candidates) {
        candidate.requirements.clear();
      }
    }
    return place->second;
  }

  void add(IncompatibilityId id) {
    const Incompatibility& step = all_[id];
    Fact fact;
    fact.kind = step.kind;
    for (const Term& term : step.terms) fact.terms.push_back({package(term.package), term.states});
    if (step.kind == FactKind::Derived) {
      fact.left = facts_.at(widest(step.left));
      fact.right = facts_.at(widest(step.right));
    } else {
      fact.subject = package(step.subject);
      fact.subjects = step.subjects;
      fact.requirement = step.requirement;
      fact.object = package(step.object);
      fact.is_empty = step.is_empty;
      fact.reason = step.reason;
    }
    facts_.emplace(id, conflict_.facts.size());
    conflict_.facts.push_back(std::move(fact));
  }

  const Catalogue& catalogue_;
  const std::vector<Incompatibility>& all_;
  Conflict conflict_;
  std::map<IncompatibilityId, std::size_t> facts_;
  std::map<PackageId, std::size_t> packages_;
};

}  // namespace

Conflict make_conflict(const Catalogue& catalogue, const Search& search, const std::string& asker) {
  Conflict conflict = Derivation(catalogue, search).make(search.failure());
  conflict.asker = asker;
  return conflict;
}

}  // namespace slipway::solve
