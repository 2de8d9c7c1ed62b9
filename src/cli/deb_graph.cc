#include "cli/deb_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "cli/graph_drawing.h"

namespace slipway::cli {
namespace {

constexpr std::size_t kMostNamed = 4;

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// How far each Debian package is from slipway.toml or the base: 1 for what they ask for.
std::map<std::string, int> deb_distances(const spec::Lock& lock) {
  std::map<std::string, std::vector<std::string>> needs;
  for (const spec::LockedDeb& deb : lock.debs) {
    for (const std::string& needer : deb.because) needs[needer].push_back(deb.name);
  }
  std::map<std::string, int> distances;
  std::vector<std::string> reached;
  for (const std::string_view root :
       {spec::kAskedByUser, spec::kPartOfBase, spec::kNoPython, spec::kForWheels}) {
    distances.emplace(root, 0);
    reached.emplace_back(root);
  }
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const std::string from = reached[i];
    for (const std::string& name : needs[from]) {
      if (distances.emplace(name, distances[from] + 1).second) reached.push_back(name);
    }
  }
  return distances;
}

/// All that the base needs, and itself.
std::set<std::string> base_packages(const spec::Lock& lock) {
  std::set<std::string> base{std::string(spec::kPartOfBase)};
  for (bool grows = true; grows;) {
    grows = false;
    for (const spec::LockedDeb& deb : lock.debs) {
      const bool is_needed = std::ranges::any_of(
          deb.because, [&](const std::string& needer) { return base.contains(needer); });
      if (is_needed && base.insert(deb.name).second) grows = true;
    }
  }
  base.erase(std::string(spec::kPartOfBase));
  return base;
}

Labels deb_labels(const spec::Lock& lock) {
  Labels labels;
  for (const spec::LockedDeb& deb : lock.debs)
    labels[deb.name] = fmt::format("{} {}", deb.name, deb.version);
  return labels;
}

/// The packages that `needer` needs, but those `left_out`.
std::vector<std::string> debs_below(const spec::Lock& lock, const std::string& needer,
                                    const std::set<std::string>& left_out) {
  std::vector<std::string> below;
  for (const spec::LockedDeb& deb : lock.debs) {
    if (contains(deb.because, needer) && !left_out.contains(deb.name)) below.push_back(deb.name);
  }
  return below;
}

/// Those that are put onto a base image: below who or what asks for them.
std::string draw_added_debs(const spec::Lock& lock) {
  if (lock.debs.empty()) return {};
  Drawing drawing(deb_labels(lock),
                  [&](const std::string& needer) { return debs_below(lock, needer, {}); });
  std::vector<std::string> roots;
  for (const std::string_view root : {spec::kAskedByUser, spec::kNoPython, spec::kForWheels}) {
    const auto is_of_root = [&](const spec::LockedDeb& deb) { return contains(deb.because, root); };
    if (std::ranges::any_of(lock.debs, is_of_root)) roots.emplace_back(root);
  }
  drawing.draw(roots);
  return fmt::format("{} Debian packages on the base\n{}", lock.debs.size(), drawing.text());
}

}  // namespace

std::string draw_debs(const spec::Lock& lock) {
  if (lock.base) return draw_added_debs(lock);
  const std::set<std::string> base = base_packages(lock);
  if (base.empty()) return {};  // a lock of an older slipway
  Drawing drawing(deb_labels(lock),
                  [&](const std::string& needer) { return debs_below(lock, needer, base); });
  std::vector<std::string> asked;
  for (const spec::LockedDeb& deb : lock.debs) {
    if (contains(deb.because, spec::kAskedByUser)) asked.push_back(deb.name);
  }
  drawing.draw(asked);
  return fmt::format("Debian {}, with {} packages that every image has\n{}", lock.debian,
                     base.size(), drawing.text());
}

std::string draw_reasons(const spec::Lock& lock, const spec::LockedDeb& deb) {
  std::string text =
      fmt::format("{} {}, `{}` from `{}`\n", deb.name, deb.version, deb.path, deb.index);
  if (deb.because.empty())
    return text + "└─ an older slipway wrote this lock without reasons; `slipway lock` adds them\n";
  const std::map<std::string, int> distances = deb_distances(lock);
  const auto distance = [&](const std::string& name) {
    const auto found = distances.find(name);
    return found == distances.end() ? static_cast<int>(lock.debs.size()) : found->second;
  };
  Drawing drawing(deb_labels(lock), [&](const std::string& name) {
    std::vector<std::string> nearest;
    const auto found = std::ranges::find(lock.debs, name, &spec::LockedDeb::name);
    if (found == lock.debs.end()) return nearest;
    for (const std::string& needer : found->because) {
      if (distance(needer) + 1 == distance(name)) nearest.push_back(needer);
    }
    if (nearest.size() > kMostNamed) nearest.resize(kMostNamed);
    return nearest;
  });
  std::vector<std::string> first;
  std::vector<std::string> needers;
  for (const std::string& needer : deb.because) {
    if (distance(needer) > 0) needers.push_back(needer);
    if (distance(needer) + 1 == distance(deb.name) && first.size() < kMostNamed)
      first.push_back(needer);
  }
  drawing.draw(first);
  text += drawing.text();
  const bool are_drawn = std::ranges::all_of(
      needers, [&](const std::string& needer) { return contains(first, needer); });
  if (!are_drawn) {
    const std::size_t more = needers.size() > kMostNamed ? needers.size() - kMostNamed : 0;
    if (more > 0) needers.resize(kMostNamed);
    text += fmt::format("needed by {}{}\n", fmt::join(needers, ", "),
                        more == 0 ? "" : fmt::format(" and {} more", more));
  }
  return text;
}

}  // namespace slipway::cli
