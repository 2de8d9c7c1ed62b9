#include <algorithm>

#include "index/debian_pool_state.h"

namespace slipway::index {
namespace {

bool is_matched(Pool* pool, Id solvable, Offset relations, Repo* repo) {
  if (relations == 0) return false;
  for (const Id* one = repo->idarraydata + relations; *one != 0; ++one) {
    if (pool_match_dep(pool, *one, pool->solvables[solvable].name) == 0) continue;
    const auto providers = find_providers(pool, *one);
    if (std::find(providers.begin(), providers.end(), solvable) != providers.end()) return true;
  }
  return false;
}

/// What the installed package needs, and the solution has no more of.
std::vector<Id> lost_needs(Pool* pool, Id installed, const std::map<Id, DebFile*>& decided) {
  std::vector<Id> lost;
  const Solvable& of = pool->solvables[installed];
  if (of.requires_ == 0) return lost;
  for (const Id* need = of.repo->idarraydata + of.requires_; *need != 0; ++need) {
    const auto providers = find_providers(pool, *need);
    const bool is_there = std::any_of(providers.begin(), providers.end(), [&](Id id) {
      if (pool->solvables[id].repo != pool->installed) return decided.count(id) > 0;
      // Installed, unless another version of it is decided.
      return std::none_of(decided.begin(), decided.end(), [&](const auto& one) {
        return pool->solvables[one.first].name == pool->solvables[id].name;
      });
    });
    if (!is_there) lost.insert(lost.end(), providers.begin(), providers.end());
  }
  return lost;
}

/// Only an upgrade can be without one so far.
bool has_reason(const DebFile& file) {
  return file.upgrades.empty() || !file.needed_by.empty() || !file.asked_as.empty();
}

/// Whatever has no reason by now went along with others of its source.
void add_source_reasons(Pool* pool, const std::map<Id, DebFile*>& decided) {
  std::vector<std::pair<Id, DebFile*>> with, without;
  for (const auto& one : decided) (has_reason(*one.second) ? with : without).push_back(one);
  for (const auto& [id, file] : without) {
    for (const auto& [other, because] : with) {
      if (source_of(pool, other) == source_of(pool, id))
        file->needed_by.push_back(because->package);
    }
    std::sort(file->needed_by.begin(), file->needed_by.end());
  }
}

}  // namespace

void add_upgrade_reasons(Pool* pool, std::span<const Id> decided, std::span<DebFile> files) {
  std::map<Id, DebFile*> by_id;
  for (std::size_t i = 0; i < decided.size(); ++i) by_id[decided[i]] = &files[i];
  for (const auto& [id, file] : by_id) {
    if (has_reason(*file)) continue;
    const Id old = find_installed(pool, pool->solvables[id].name);
    const auto lost = lost_needs(pool, old, by_id);
    for (const auto& [other, because] : by_id) {
      const Solvable& solvable = pool->solvables[other];
      const bool has_taken = std::any_of(lost.begin(), lost.end(), [&](Id gone) {
        return pool->solvables[gone].name == solvable.name;
      });
      if (other != id && (has_taken || is_matched(pool, old, solvable.conflicts, solvable.repo)))
        file->needed_by.push_back(because->package);
    }
    std::sort(file->needed_by.begin(), file->needed_by.end());
  }
  add_source_reasons(pool, by_id);
}

void add_reasons(Pool* pool, std::span<const Id> decided, std::span<DebFile> files) {
  std::map<Id, DebFile*> by_id;
  for (std::size_t i = 0; i < decided.size(); ++i) by_id[decided[i]] = &files[i];
  for (const auto& [id, file] : by_id) {
    const Solvable& needer = pool->solvables[id];
    if (needer.requires_ == 0) continue;
    for (const Id* need = needer.repo->idarraydata + needer.requires_; *need != 0; ++need) {
      for (const Id provider : find_providers(pool, *need)) {
        const auto provided = by_id.find(provider);
        if (provided != by_id.end() && provider != id)
          provided->second->needed_by.push_back(file->package);
      }
    }
  }
  for (const Id id : find_providers(pool, pool_str2id(pool, kAlwaysTag, 1))) {
    if (const auto found = by_id.find(id); found != by_id.end()) found->second->is_always = true;
  }
  for (auto& [id, file] : by_id) {
    std::sort(file->needed_by.begin(), file->needed_by.end());
    // Not of std::ranges: clang 14, which builds the fuzzers, cannot read that of g++ 12.
    file->needed_by.erase(std::unique(file->needed_by.begin(), file->needed_by.end()),
                          file->needed_by.end());
  }
}

}  // namespace slipway::index
