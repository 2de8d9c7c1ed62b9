#include "version/tag_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace slipway::version {
namespace {

// glibc 2.5 (CentOS 5) for the architectures that manylinux1 knew, 2.17 (CentOS 7) for the others.
constexpr int kOldestGlibcOfIntel = 5;
constexpr int kOldestGlibc = 17;
// The stable ABI came with Python 3.2 (PEP 384).
constexpr int kOldestStableAbi = 2;

struct Alias {
  int glibc_minor;
  std::string_view name;
};
constexpr Alias kAliases[] = {{17, "manylinux2014"}, {12, "manylinux2010"}, {5, "manylinux1"}};

std::vector<std::string> platform_tags(const PythonTarget& target) {
  const std::string& architecture = target.architecture;
  std::vector<std::string> tags;
  const bool is_intel = architecture == "x86_64" || architecture == "i686";
  const int newest = target.glibc_major == 2 ? target.glibc_minor : 0;  // there is no other yet
  for (int minor = newest; minor >= (is_intel ? kOldestGlibcOfIntel : kOldestGlibc); --minor) {
    tags.push_back(fmt::format("manylinux_2_{}_{}", minor, architecture));
    for (const Alias& alias : kAliases) {
      if (alias.glibc_minor == minor) {
        tags.push_back(fmt::format("{}_{}", alias.name, architecture));
      }
    }
  }
  tags.push_back("linux_" + architecture);
  return tags;
}

// py311, py3, py310 … py30.
std::vector<std::string> generic_pythons(const PythonTarget& target) {
  std::vector<std::string> tags = {fmt::format("py{}{}", target.major, target.minor),
                                   fmt::format("py{}", target.major)};
  for (int minor = target.minor - 1; minor >= 0; --minor) {
    tags.push_back(fmt::format("py{}{}", target.major, minor));
  }
  return tags;
}

void append(std::map<std::string, int, std::less<>>& map, std::string key, int first) {
  map.emplace(std::move(key), first + static_cast<int>(map.size()));
}

}  // namespace

TagSet TagSet::for_target(const PythonTarget& target) {
  TagSet set;
  for (std::string& tag : platform_tags(target)) append(set.platforms_, std::move(tag), 0);

  const std::string cpython = fmt::format("cp{}{}", target.major, target.minor);
  const std::vector<std::string> generic = generic_pythons(target);
  append(set.with_platform_, cpython + "-" + cpython, 0);
  append(set.with_platform_, cpython + "-abi3", 0);
  append(set.with_platform_, cpython + "-none", 0);
  for (int minor = target.minor - 1; minor >= kOldestStableAbi; --minor) {
    append(set.with_platform_, fmt::format("cp{}{}-abi3", target.major, minor), 0);
  }
  for (const std::string& python : generic) append(set.with_platform_, python + "-none", 0);

  const int first_any = static_cast<int>(set.with_platform_.size() * set.platforms_.size());
  append(set.with_any_, cpython + "-none", first_any);
  for (const std::string& python : generic) append(set.with_any_, python + "-none", first_any);
  return set;
}

std::optional<int> TagSet::rank(const std::string& python, const std::string& abi,
                                const std::string& platform) const {
  const std::string key = python + "-" + abi;
  if (platform == "any") {
    const auto any = with_any_.find(key);
    return any == with_any_.end() ? std::nullopt : std::optional<int>(any->second);
  }
  const auto group = with_platform_.find(key);
  const auto place = platforms_.find(platform);
  if (group == with_platform_.end() || place == platforms_.end()) return std::nullopt;
  return group->second * static_cast<int>(platforms_.size()) + place->second;
}

std::optional<int> TagSet::rank(const WheelFileName& wheel) const {
  std::optional<int> best;
  for (const std::string& python : wheel.pythons) {
    for (const std::string& abi : wheel.abis) {
      for (const std::string& platform : wheel.platforms) {
        const auto one = rank(python, abi, platform);
        if (one && (!best || *one < *best)) best = one;
      }
    }
  }
  return best;
}

}  // namespace slipway::version
