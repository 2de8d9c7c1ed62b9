#include <algorithm>

#include "solve/search.h"

namespace slipway::solve {

std::vector<IncompatibilityId>& Search::watch(PackageId package) {
  if (package >= watched_.size()) watched_.resize(package + 1);
  return watched_[package];
}

IncompatibilityId Search::add(Incompatibility incompatibility) {
  std::vector<Term> terms;
  for (Term& term : incompatibility.terms) {
    if (!term.states.is_everything()) add_term(terms, std::move(term));
  }
  incompatibility.terms = std::move(terms);
  const IncompatibilityId id = incompatibilities_.size();
  const bool can_hold = std::none_of(incompatibility.terms.begin(), incompatibility.terms.end(),
                                     [](const Term& term) { return term.states.empty(); });
  for (const Term& term : incompatibility.terms) {
    if (can_hold) watch(term.package).push_back(id);
  }
  incompatibilities_.push_back(std::move(incompatibility));
  return id;
}

void Search::replace(IncompatibilityId old, Incompatibility wider) {
  for (const Term& term : incompatibilities_[old].terms) std::erase(watch(term.package), old);
  const IncompatibilityId id = add(std::move(wider));
  incompatibilities_[old].replaced_by = id;
}

void Search::exclude(PackageId package, CandidateSet versions, std::string reason) {
  Incompatibility fact;
  fact.kind = FactKind::Excluded;
  fact.terms.push_back({package, versions});
  fact.subject = package;
  fact.subjects = std::move(versions);
  fact.reason = std::move(reason);
  add(std::move(fact));
}

/// Facts that are known from the list alone. Needs the list.
Result<void> Search::introduce(PackageId package) {
  const PackageId base = catalogue_.base(package);
  if (base >= introduced_.size()) introduced_.resize(base + 1, false);
  if (introduced_[base]) return {};
  introduced_[base] = true;
  for (Exclusion& exclusion : catalogue_.exclusions(base)) {
    exclude(base, std::move(exclusion.versions), std::move(exclusion.reason));
  }
  std::map<Requirement, CandidateSet> by_requirement;
  const std::vector<Candidate>& candidates = catalogue_.known_list(base).candidates;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (catalogue_.is_excluded(base, i)) continue;
    for (const Requirement& requirement : candidates[i].requirements) {
      by_requirement.try_emplace(requirement, CandidateSet::none(candidates.size()))
          .first->second.insert(i);
    }
  }
  for (const auto& [requirement, subjects] : by_requirement) {
    TRY(require(base, subjects, requirement));
  }
  return {};
}

Result<void> Search::require(PackageId subject, const CandidateSet& subjects,
                             const Requirement& requirement) {
  if (!requirement.package.extra.empty()) {
    TRY(require(subject, subjects, {{requirement.package.name, ""}, requirement.constraint}));
  }
  const Demand* demand = TRY(catalogue_.demand(requirement));
  TRY(introduce(demand->object));
  add_demand(subject, subjects, requirement, *demand);
  return {};
}

void Search::add_demand(PackageId subject, const CandidateSet& subjects,
                        const Requirement& requirement, const Demand& demand) {
  Incompatibility fact;
  fact.kind = subject == kRoot ? FactKind::Asked : FactKind::Dependency;
  fact.subject = subject;
  fact.subjects = subjects;
  fact.object = demand.object;
  fact.requirement = requirement;
  fact.is_empty = demand.allowed.empty();
  fact.wants_prereleases = demand.wants_prereleases;
  if (subject == kRoot) {
    asked_for_.insert(demand.object);
    if (catalogue_.count(demand.object) > 0 && !demand.allowed.contains(0)) {
      bounded_.insert(demand.object);
    }
  }

  // Versions that require the same are told, and ruled out, together.
  const auto key = std::make_tuple(subject, demand.object, requirement.constraint);
  const auto known = demands_.find(key);
  if (known != demands_.end()) {
    const CandidateSet& before = incompatibilities_[known->second].subjects;
    if (subjects.is_subset_of(before)) return;
    fact.subjects |= before;
  }
  fact.terms = {{subject, fact.subjects}};
  add_term(fact.terms, {demand.object, demand.allowed.complement()});
  const IncompatibilityId id = incompatibilities_.size();
  if (known == demands_.end()) {
    demands_.emplace(key, id);
    add(std::move(fact));
  } else {
    replace(std::exchange(known->second, id), std::move(fact));
  }
}

/// An extra has the version of its package, both ways. False where that was said before.
bool Search::add_binding(PackageId extra, std::size_t candidate) {
  if (!bindings_.emplace(extra, candidate).second) return false;
  const PackageId base = catalogue_.base(extra);
  const CandidateSet version = CandidateSet::one(catalogue_.count(base), candidate);
  CandidateSet other = version.complement();
  Incompatibility forth;
  forth.kind = FactKind::Binding;
  forth.subject = extra;
  forth.object = base;
  forth.subjects = version;
  Incompatibility back = forth;
  forth.terms = {{base, other}};
  add_term(forth.terms, {extra, version});
  add(std::move(forth));
  CandidateSet others_present = CandidateSet::none(catalogue_.count(base));
  others_present.insert_absent();
  others_present = others_present.complement() & other;
  back.terms = {{base, version}};
  add_term(back.terms, {extra, std::move(others_present)});
  add(std::move(back));
  return true;
}

}  // namespace slipway::solve
