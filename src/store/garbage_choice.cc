#include "store/garbage_choice.h"

#include <algorithm>

namespace slipway::store {
namespace {

struct Candidate {
  UtcTime last_use;
  ImageName name;
  auto operator<=>(const Candidate&) const = default;
};

bool has(const std::vector<ImageName>& names, const ImageName& name) {
  return std::ranges::find(names, name) != names.end();
}

/// By last use, then by name.
Result<std::vector<Candidate>> find_candidates(const Store& store, const GarbageOptions& options,
                                               const std::set<Digest>& held) {
  std::vector<Candidate> candidates;
  for (const StoredImage& image : TRY(store.list_images())) {
    if (has(options.keep_images, image.name) || has(options.forget, image.name) ||
        held.contains(image.manifest)) {
      continue;
    }
    candidates.push_back({TRY(store.last_use(image.name)), image.name});
  }
  std::ranges::sort(candidates);
  return candidates;
}

std::vector<ImageName> first_names(const std::vector<Candidate>& candidates, std::size_t count) {
  std::vector<ImageName> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(candidates[i].name);
  return names;
}

}  // namespace

Result<std::vector<ImageName>> choose_images(const Store& store, const GarbageOptions& options,
                                             const std::set<Digest>& held,
                                             std::uint64_t total_bytes, const CountFreed& count) {
  const std::vector<Candidate> candidates = TRY(find_candidates(store, options, held));
  std::size_t least = 0;
  if (options.unused_since) {
    least = static_cast<std::size_t>(std::ranges::count_if(
        candidates, [&](const Candidate& one) { return one.last_use < *options.unused_since; }));
  }
  if (!options.keep_bytes) return first_names(candidates, least);
  const auto fits = [&](std::size_t some) -> Result<bool> {
    const std::uint64_t freed = TRY(count(first_names(candidates, some)));
    return total_bytes - std::min(freed, total_bytes) <= *options.keep_bytes;
  };
  std::size_t most = candidates.size();
  while (least < most) {
    const std::size_t middle = least + (most - least) / 2;
    if (TRY(fits(middle))) {
      most = middle;
    } else {
      least = middle + 1;
    }
  }
  return first_names(candidates, least);
}

}  // namespace slipway::store
