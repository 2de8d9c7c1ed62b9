#include <algorithm>

#include "index/debian_pool_state.h"

namespace slipway::index {

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
