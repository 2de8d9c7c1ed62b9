#include "layer/layer_groups.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/digest.h"

namespace slipway::layer {
namespace {

std::size_t bucket_of(const std::string& name, std::size_t buckets) {
  // SHA-256, because std::hash differs between libraries and the layers would with it.
  const Digest digest = sha256(name);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | digest.value[i];
  return static_cast<std::size_t>(number % buckets);
}

std::uint64_t threshold(std::span<const GroupInput> packages, const GroupRules& rules) {
  std::uint64_t least = std::max<std::uint64_t>(rules.alone_bytes, 1);
  const auto alone = [&] {
    return static_cast<std::size_t>(std::count_if(
        packages.begin(), packages.end(), [&](const auto& p) { return p.size_bytes >= least; }));
  };
  while (alone() > rules.most_alone && least < UINT64_MAX / 2) least *= 2;
  return least;
}

}  // namespace

std::vector<std::vector<std::size_t>> plan_layers(std::span<const GroupInput> packages,
                                                  const GroupRules& rules) {
  SLIPWAY_CHECK(rules.buckets > 0);
  std::vector<std::size_t> order(packages.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return packages[a].name < packages[b].name; });

  const std::uint64_t least = threshold(packages, rules);
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::size_t, std::vector<std::size_t>> buckets;
  for (const std::size_t i : order) {
    if (packages[i].size_bytes >= least) {
      groups.push_back({i});
    } else {
      buckets[bucket_of(packages[i].name, rules.buckets)].push_back(i);
    }
  }
  for (auto& [number, members] : buckets) groups.push_back(std::move(members));
  return groups;
}

}  // namespace slipway::layer
