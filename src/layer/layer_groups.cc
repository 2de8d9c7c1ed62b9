#include "layer/layer_groups.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/digest.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kMostHalvings = 4;  ///< sixteen buckets are one then

std::size_t bucket_of(const std::string& name, std::size_t buckets) {
  // SHA-256, because std::hash differs between libraries and the layers would with it.
  const Digest digest = sha256(name);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | digest.value[i];
  return static_cast<std::size_t>(number % buckets);
}

std::size_t class_of(std::uint64_t size_bytes, const GroupRules& rules) {
  std::size_t found = 0;
  for (std::uint64_t end = rules.first_class_bytes; size_bytes >= end; end *= 4) {
    if (found + 1 == rules.buckets.size()) break;
    ++found;
  }
  return found;
}

/// How the packages are shared out: those of the first classes have buckets, the others are alone.
struct Shares {
  std::size_t border = 0;    ///< the first class whose packages are alone
  std::size_t halvings = 0;  ///< of the numbers of buckets

  std::size_t buckets(std::size_t of_class, const GroupRules& rules) const {
    const std::size_t parts = std::size_t{1} << halvings;
    return (rules.buckets[of_class] + parts - 1) / parts;
  }
};

/// With the lowest border for which the layers are enough. Empty buckets count: what one package
/// does to them must not move the border.
Shares find_border(std::span<const std::size_t> classes, std::size_t halvings,
                   const GroupRules& rules) {
  Shares shares{0, halvings};
  std::size_t buckets = 0;
  for (; shares.border < rules.buckets.size(); ++shares.border) {
    const auto alone = static_cast<std::size_t>(
        std::ranges::count_if(classes, [&](std::size_t one) { return one >= shares.border; }));
    if (alone + buckets <= rules.most_layers) break;
    buckets += shares.buckets(shares.border, rules);
  }
  return shares;
}

/// Large packages come first: smaller ones make room for them.
Shares share_out(std::span<const std::size_t> classes, const GroupRules& rules) {
  const Shares full = find_border(classes, 0, rules);
  if (full.border <= rules.large_class) return full;
  for (std::size_t halvings = 1; halvings <= kMostHalvings; ++halvings) {
    const Shares fewer = find_border(classes, halvings, rules);
    if (fewer.border <= rules.large_class) return fewer;
  }
  return full;  // even the large ones are too many
}

}  // namespace

const GroupRules& wheel_groups() {
  static const GroupRules rules{84, 32 * 1024, {9, 14, 16, 15, 13, 10, 5, 2}, 6};
  return rules;
}

const GroupRules& large_bytecode_groups() {
  static const GroupRules rules{12, 32 * 1024, {1, 1, 1, 2, 2, 2, 2, 1}, 6};
  return rules;
}

std::vector<std::vector<std::size_t>> plan_layers(std::span<const GroupInput> packages,
                                                  const GroupRules& rules) {
  SLIPWAY_CHECK(!rules.buckets.empty());
  std::vector<std::size_t> order(packages.size()), classes(packages.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
    classes[i] = class_of(packages[i].size_bytes, rules);
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return packages[a].name < packages[b].name; });

  const Shares shares = share_out(classes, rules);
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<std::size_t>> buckets;
  for (const std::size_t i : order) {
    if (classes[i] >= shares.border) {
      groups.push_back({i});
    } else {
      const std::size_t count = shares.buckets(classes[i], rules);
      buckets[{classes[i], bucket_of(packages[i].name, count)}].push_back(i);
    }
  }
  for (auto& [number, members] : buckets) groups.push_back(std::move(members));
  return groups;
}

}  // namespace slipway::layer
