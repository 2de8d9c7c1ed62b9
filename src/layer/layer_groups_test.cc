#include "layer/layer_groups.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace slipway::layer;

namespace {

std::vector<GroupInput> small_packages(int count) {
  std::vector<GroupInput> packages;
  for (int i = 0; i < count; ++i) packages.push_back({"package-" + std::to_string(i), 1000});
  return packages;
}

std::set<std::string> group_with(const std::vector<GroupInput>& packages, const std::string& name) {
  for (const auto& group : plan_layers(packages)) {
    std::set<std::string> names;
    for (const std::size_t i : group) names.insert(packages[i].name);
    if (names.contains(name)) return names;
  }
  return {};
}

}  // namespace

TEST_CASE("a package is alone where there are layers enough, and every one is in one group") {
  std::vector<GroupInput> packages = small_packages(120);
  packages.push_back({"torch", 700u << 20});
  packages.push_back({"nvidia-cudnn-cu12", 600u << 20});
  packages.push_back({"medium", 32 << 10});
  const auto groups = plan_layers(packages);
  // 120 are too many; from the next class on there is room for all.
  REQUIRE(groups.size() == 3 + wheel_groups().buckets[0]);
  CHECK(groups[0] == std::vector<std::size_t>{122});
  CHECK(groups[1] == std::vector<std::size_t>{121});
  CHECK(groups[2] == std::vector<std::size_t>{120});
  std::multiset<std::size_t> seen;
  for (const auto& group : groups) seen.insert(group.begin(), group.end());
  CHECK(seen.size() == packages.size());
  CHECK(std::set<std::size_t>(seen.begin(), seen.end()).size() == packages.size());
  const std::size_t most = wheel_groups().most_layers;
  CHECK(plan_layers(small_packages(static_cast<int>(most))).size() == most);
  CHECK(plan_layers(small_packages(static_cast<int>(most) + 1)).size() ==
        wheel_groups().buckets[0]);
}

TEST_CASE("packages share layers with those of their size") {
  std::vector<GroupInput> packages;
  for (std::uint64_t i = 0; i < 300; ++i) {
    packages.push_back({"p" + std::to_string(i), (1 + i % 3) << (10 + i % 16)});
  }
  const auto groups = plan_layers(packages);
  CHECK(groups.size() <= wheel_groups().most_layers);
  for (const auto& group : groups) {
    std::uint64_t least = UINT64_MAX, most = 0;
    for (const std::size_t i : group) {
      least = std::min(least, packages[i].size_bytes);
      most = std::max(most, packages[i].size_bytes);
    }
    CHECK((most < 32 << 10 || most < 4 * least || least >= 128 << 20));
    // Whether their bytecode is in their layer is one answer for all of them.
    CHECK((least >= kLargeWheelBytes) == (most >= kLargeWheelBytes));
  }
}

TEST_CASE("large packages are alone, however many small ones there are") {
  std::vector<GroupInput> packages;
  const auto add = [&](int count, const std::string& name, std::uint64_t size_bytes) {
    for (int i = 0; i < count; ++i) packages.push_back({name + std::to_string(i), size_bytes});
  };
  // As many of each size as a machine with PyTorch, JAX and what goes with them has.
  add(60, "small", 100 << 10);
  add(50, "medium", 1 << 20);
  add(40, "middling", 6 << 20);
  add(20, "library", 20 << 20);
  add(10, "cuda", 60 << 20);
  add(8, "torch", 500 << 20);
  const auto groups = plan_layers(packages);
  CHECK(groups.size() <= wheel_groups().most_layers);
  for (const auto& group : groups) {
    const bool has_large = packages[group[0]].size_bytes >= 32 << 20;
    CHECK((!has_large || group.size() == 1));
  }
  // With more than there are layers, they share as well.
  add(80, "huge", 900 << 20);
  CHECK(plan_layers(packages).size() <= wheel_groups().most_layers);
}

TEST_CASE("every class within the limit") {
  for (const GroupRules& rules : {wheel_groups(), large_bytecode_groups()}) {
    std::size_t buckets = 0;
    for (const std::size_t one : rules.buckets) buckets += one;
    CHECK(buckets <= rules.most_layers);
  }
  CHECK(wheel_groups().most_layers + large_bytecode_groups().most_layers == 96);
}

TEST_CASE("however many and large they are, there is an answer") {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1} << 40, UINT64_MAX}) {
    std::vector<GroupInput> packages(2000, {"same", size});
    for (std::size_t i = 0; i < packages.size(); ++i) packages[i].name += std::to_string(i);
    const auto groups = plan_layers(packages);
    CHECK(groups.size() >= 1);
    CHECK(groups.size() <= wheel_groups().most_layers);
  }
}

TEST_CASE("adding or changing one package leaves the other buckets alone") {
  std::vector<GroupInput> packages = small_packages(150);
  const auto before = plan_layers(packages);
  std::set<std::set<std::string>> old_groups, new_groups;
  for (const auto& p : packages) old_groups.insert(group_with(packages, p.name));
  packages.push_back({"newcomer", 5000});
  for (const auto& p : packages) new_groups.insert(group_with(packages, p.name));
  std::size_t gone = 0;
  for (const auto& group : old_groups) gone += new_groups.contains(group) ? 0 : 1;
  CHECK(gone <= 1);
}

TEST_CASE("the order of the packages does not matter") {
  std::vector<GroupInput> packages = small_packages(30);
  packages.push_back({"torch", 700u << 20});
  std::vector<GroupInput> reversed(packages.rbegin(), packages.rend());
  const auto names = [](const std::vector<GroupInput>& of) {
    std::vector<std::vector<std::string>> all;
    for (const auto& group : plan_layers(of)) {
      all.emplace_back();
      for (const std::size_t i : group) all.back().push_back(of[i].name);
    }
    return all;
  };
  CHECK(names(packages) == names(reversed));
  CHECK(plan_layers({}).empty());
}
