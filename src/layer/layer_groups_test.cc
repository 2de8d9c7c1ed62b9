#include "layer/layer_groups.h"

#include <doctest/doctest.h>

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

TEST_CASE("large packages are alone, by name; every package is in one group") {
  std::vector<GroupInput> packages = small_packages(80);
  packages.push_back({"torch", 700u << 20});
  packages.push_back({"nvidia-cudnn-cu12", 600u << 20});
  const auto groups = plan_layers(packages);
  REQUIRE(groups.size() > 2);
  CHECK(groups.size() <= 26);
  CHECK(groups[0] == std::vector<std::size_t>{81});
  CHECK(groups[1] == std::vector<std::size_t>{80});
  std::multiset<std::size_t> seen;
  for (const auto& group : groups) seen.insert(group.begin(), group.end());
  CHECK(seen.size() == packages.size());
  CHECK(std::set<std::size_t>(seen.begin(), seen.end()).size() == packages.size());
}

TEST_CASE("no more than 40 are alone, whatever their sizes") {
  std::vector<GroupInput> packages;
  for (unsigned i = 0; i < 100; ++i) packages.push_back({"p" + std::to_string(i), (i + 1) << 20});
  std::size_t alone = 0;
  for (const auto& group : plan_layers(packages)) {
    if (group.size() == 1 && packages[group[0]].size_bytes >= 64u << 20) ++alone;
  }
  CHECK(alone == 37);  // 64 MiB is the first threshold with at most 40
  packages.assign(200, {"same", UINT64_MAX});
  for (std::size_t i = 0; i < 200; ++i) packages[i].name += std::to_string(i);
  CHECK(plan_layers(packages).size() > 0);
}

TEST_CASE("adding or changing one package leaves the other buckets alone") {
  std::vector<GroupInput> packages = small_packages(60);
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
