#include "layer/layer_groups.h"

#include <algorithm>
#include <map>
#include <utility>

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

std::size_t class_of(std::uint64_t size_bytes, const GroupRules& rules) {
  std::size_t found = 0;
  for (std::uint64_t end = rules.first_class_bytes; size_bytes >= end; end *= 4) {
    if (found + 1 == rules.buckets.size()) break;
    ++found;
  }
  return found;
}

/// The first class whose packages are alone. Empty buckets count: what one package does to them
/// must not move the border.
std::size_t first_alone(std::span<const std::size_t> classes, const GroupRules& rules) {
  std::size_t best = 0, fewest = SIZE_MAX, buckets = 0;
  for (std::size_t border = 0; border <= rules.buckets.size(); ++border) {
    const auto alone = static_cast<std::size_t>(
        std::ranges::count_if(classes, [&](std::size_t one) { return one >= border; }));
    const std::size_t layers = alone + buckets;
    if (layers <= rules.most_layers) return border;
    if (layers < fewest) {
      fewest = layers;
      best = border;
    }
    if (border < rules.buckets.size()) buckets += rules.buckets[border];
  }
  return best;
}

}  // namespace

const GroupRules& wheel_groups() {
  static const GroupRules rules{84, 32 * 1024, {9, 14, 16, 15, 13, 10, 5, 2}};
  return rules;
}

const GroupRules& large_bytecode_groups() {
  static const GroupRules rules{12, 32 * 1024, {1, 1, 1, 2, 2, 2, 2, 1}};
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

  const std::size_t border = first_alone(classes, rules);
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<std::size_t>> buckets;
  for (const std::size_t i : order) {
    if (classes[i] >= border) {
      groups.push_back({i});
    } else {
      const std::size_t count = rules.buckets[classes[i]];
      buckets[{classes[i], bucket_of(packages[i].name, count)}].push_back(i);
    }
  }
  for (auto& [number, members] : buckets) groups.push_back(std::move(members));
  return groups;
}

}  // namespace slipway::layer
