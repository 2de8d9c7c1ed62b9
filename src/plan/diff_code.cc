#include <algorithm>
#include <map>
#include <set>

#include "gpu/image_tree.h"
#include "gpu/remedy.h"
#include "plan/image_diff.h"

namespace slipway::plan {
namespace {

/// A target and whether its code is PTX, in the order in which people count.
using Target = std::pair<gpu::CodeTarget, bool>;
using Targets = std::set<Target>;

std::string target_text(const Target& target) {
  const std::string text = target.first.text();
  return target.second ? "compute_" + text.substr(3) : text;
}

/// By package; the whole image under no name.
std::map<std::string, Targets> targets_of(std::span<const gpu::LayerLibraries> layers) {
  std::map<std::string, Targets> targets;
  const gpu::ImageTree tree(layers);
  for (const auto& [path, file] : tree.files()) {
    for (const gpu::CodeGroup& group : file->code.groups) {
      const Target target{group.target, group.kind == gpu::CodeKind::Ptx};
      targets[""].insert(target);
      if (!file->owner.empty()) targets[gpu::package_of(file->owner)].insert(target);
    }
  }
  return targets;
}

std::vector<std::string> missing_from(const Targets& some, const Targets& others) {
  std::vector<std::string> texts;
  for (const Target& target : some) {
    if (!others.contains(target)) texts.push_back(target_text(target));
  }
  return texts;
}

}  // namespace

std::vector<CodeDiff> diff_code(std::span<const gpu::LayerLibraries> before,
                                std::span<const gpu::LayerLibraries> after) {
  std::map<std::string, Targets> one = targets_of(before), other = targets_of(after);
  std::vector<CodeDiff> differences;
  std::set<std::string> names = {""};
  for (const auto& [name, targets] : one) {
    // Code that comes or goes with its package is the package's story.
    if (other.contains(name)) names.insert(name);
  }
  for (const std::string& name : names) {
    CodeDiff difference{name, missing_from(other[name], one[name]),
                        missing_from(one[name], other[name])};
    if (!difference.gained.empty() || !difference.lost.empty())
      differences.push_back(std::move(difference));
  }
  return differences;
}

}  // namespace slipway::plan
