#include "solve/catalogue.h"

#include <algorithm>

#include "base/check.h"

namespace slipway::solve {
namespace {

// Why a version is not to be chosen, as the end of a sentence; empty where it may be.
std::string exclusion_reason(const Candidate& candidate, bool is_opened) {
  if (!candidate.unusable.empty()) return candidate.unusable;
  if (is_opened) return "";
  if (candidate.is_yanked) {
    return candidate.yanked_reason.empty() ? "was yanked"
                                           : "was yanked (" + candidate.yanked_reason + ")";
  }
  return candidate.is_prerelease ? "is a pre-release, which nothing asks for" : "";
}

bool is_plain(const Candidate& candidate) {
  return candidate.unusable.empty() && !candidate.is_yanked && !candidate.is_prerelease;
}

}  // namespace

Catalogue::Catalogue(const Request& request, PackageSource& source)
    : request_(request), source_(source) {
  Entry& root = packages_.emplace_back();
  root.list = CandidateList{{Candidate{}}, "", ""};
  root.opened = {true};
  root.dependencies[0] = Dependencies{request.requirements, "", false};
}

PackageId Catalogue::intern(const Package& package) {
  const auto found = ids_.find(package);
  if (found != ids_.end()) return found->second;
  const PackageId base_id = package.extra.empty() ? packages_.size() : intern({package.name, ""});
  const PackageId id = packages_.size();
  Entry& entry = packages_.emplace_back();
  entry.package = package;
  entry.base = base_id;
  ids_.emplace(package, id);
  return id;
}

Result<const CandidateList*> Catalogue::list(PackageId id) {
  Entry& entry = packages_[base(id)];
  if (!entry.list) {
    entry.is_prefetched = true;
    ++statistics_.lists_read;
    entry.list = TRY(source_.candidates(entry.package.name));
    prepare(entry);
  }
  return &*entry.list;
}

void Catalogue::prepare(Entry& entry) {
  const std::vector<Candidate>& candidates = entry.list->candidates;
  entry.opened.assign(candidates.size(), false);
  const bool has_plain = std::any_of(candidates.begin(), candidates.end(), is_plain);
  const auto preference = request_.preferences.find(entry.package.name);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const bool is_preferred =
        preference != request_.preferences.end() && preference->second == candidates[i].version;
    if (is_preferred) entry.preferred = i;
    if (is_preferred || (!has_plain && !candidates[i].is_yanked)) entry.opened[i] = true;
  }
}

void Catalogue::open(Entry& entry, std::size_t candidate) {
  if (entry.opened[candidate]) return;
  entry.opened[candidate] = true;
  if (entry.exclusions_given) needs_restart_ = true;
}

// PEP 440: pre-releases count where they are asked for, or where nothing else satisfies. PEP 592:
// yanked versions where they are pinned and nothing else satisfies.
void Catalogue::open_for(Entry& entry, const Selection& selection, Demand& demand) {
  bool has_plain = false;
  bool has_unyanked = false;
  const std::vector<Candidate>& candidates = entry.list->candidates;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!selection.matches[i]) continue;
    has_plain = has_plain || is_plain(candidates[i]);
    has_unyanked = has_unyanked || !candidates[i].is_yanked;
  }
  demand.wants_prereleases = selection.wants_prereleases;
  const bool opens_prereleases = selection.wants_prereleases || !has_plain;
  const bool opens_yanked = selection.is_pin && !has_unyanked;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!selection.matches[i]) continue;
    const bool is_fine = candidates[i].is_yanked ? opens_yanked : opens_prereleases;
    if (is_fine && !is_plain(candidates[i])) open(entry, i);
  }
}

Result<const Demand*> Catalogue::demand(const Requirement& requirement) {
  const PackageId id = intern(requirement.package);
  Entry& entry = packages_[base(id)];
  const CandidateList* candidates = TRY(list(id));
  const auto known = packages_[id].demands.find(requirement.constraint);
  if (known != packages_[id].demands.end()) return &known->second;
  Selection selection;
  if (requirement.constraint.empty()) {
    selection.matches.assign(candidates->candidates.size(), true);
  } else {
    selection = TRY(source_.select(entry.package.name, *candidates, requirement.constraint));
    SLIPWAY_CHECK(selection.matches.size() == candidates->candidates.size());
  }
  Demand demand{id, CandidateSet::from(selection.matches), false};
  open_for(entry, selection, demand);
  return &packages_[id].demands.emplace(requirement.constraint, std::move(demand)).first->second;
}

Result<const Dependencies*> Catalogue::dependencies(PackageId id, std::size_t candidate) {
  Entry& entry = packages_[id];
  const auto known = entry.dependencies.find(candidate);
  if (known != entry.dependencies.end()) return &known->second;
  ++statistics_.dependencies_read;
  packages_[base(id)].prefetched.insert(candidate);
  Dependencies read =
      TRY(source_.dependencies(entry.package, known_list(id).candidates[candidate]));
  return &entry.dependencies.emplace(candidate, std::move(read)).first->second;
}

const Dependencies* Catalogue::find_dependencies(PackageId id, std::size_t candidate) const {
  const auto known = packages_[id].dependencies.find(candidate);
  return known == packages_[id].dependencies.end() ? nullptr : &known->second;
}

std::vector<Exclusion> Catalogue::exclusions(PackageId id) {
  Entry& entry = packages_[base(id)];
  entry.exclusions_given = true;
  std::map<std::string, CandidateSet> by_reason;
  for (std::size_t i = 0; i < count(id); ++i) {
    std::string reason = exclusion_reason(entry.list->candidates[i], entry.opened[i]);
    if (reason.empty()) continue;
    by_reason.try_emplace(std::move(reason), CandidateSet::none(count(id))).first->second.insert(i);
  }
  std::vector<Exclusion> exclusions;
  for (auto& [reason, versions] : by_reason) exclusions.push_back({std::move(versions), reason});
  return exclusions;
}

void Catalogue::forget_exclusions_given() {
  for (Entry& entry : packages_) entry.exclusions_given = false;
  needs_restart_ = false;
}

bool Catalogue::is_excluded(PackageId id, std::size_t candidate) const {
  const Entry& entry = packages_[base(id)];
  return !exclusion_reason(entry.list->candidates[candidate], entry.opened[candidate]).empty();
}

std::size_t Catalogue::choose(PackageId id, const CandidateSet& states,
                              bool wants_prereleases) const {
  const Entry& entry = packages_[base(id)];
  if (entry.preferred && states.contains(*entry.preferred)) return *entry.preferred;
  std::optional<std::size_t> second_best;
  for (std::size_t i = 0; i < count(id); ++i) {
    if (!states.contains(i)) continue;
    const Candidate& candidate = entry.list->candidates[i];
    if (!candidate.is_yanked && (!candidate.is_prerelease || wants_prereleases)) return i;
    if (!second_best || (entry.list->candidates[*second_best].is_yanked && !candidate.is_yanked)) {
      second_best = i;
    }
  }
  SLIPWAY_CHECK(second_best.has_value());
  return *second_best;
}

void Catalogue::prefetch_list(PackageId id) {
  Entry& entry = packages_[base(id)];
  if (!std::exchange(entry.is_prefetched, true)) source_.prefetch_candidates(entry.package.name);
}

void Catalogue::prefetch_dependencies(PackageId id, std::size_t candidate) {
  Entry& entry = packages_[base(id)];
  if (base(id) == kRoot || !entry.prefetched.insert(candidate).second) return;
  source_.prefetch_dependencies(entry.package.name, entry.list->candidates[candidate]);
}

}  // namespace slipway::solve
