#include "cli/lock_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "plan/explain_lock.h"

namespace slipway::cli {
namespace {

using Children = std::function<std::vector<std::string>(const std::string& name)>;

/// Draws a graph as a tree in which each node stands once with what is below it.
class Drawing {
 public:
  Drawing(const spec::Lock& lock, Children children) : children_(std::move(children)) {
    for (const spec::LockedWheel& wheel : lock.wheels) wheels_[wheel.name] = &wheel;
  }

  void draw(const std::vector<std::string>& names, const std::string& indent) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const bool is_last = i + 1 == names.size();
      const std::vector<std::string> below = children_(names[i]);
      const bool is_new = drawn_.insert(names[i]).second;
      text += fmt::format("{}{} {}{}\n", indent, is_last ? "└─" : "├─", label(names[i]),
                          is_new || below.empty() ? "" : " (*)");
      if (is_new) draw(below, indent + (is_last ? "   " : "│  "));
      has_repeats = has_repeats || (!is_new && !below.empty());
    }
  }

  std::string text;
  bool has_repeats = false;

 private:
  std::string label(const std::string& name) const {
    const auto found = wheels_.find(name);
    if (found == wheels_.end()) return name;
    const spec::LockedWheel& wheel = *found->second;
    const std::string extras =
        wheel.extras.empty() ? "" : fmt::format("[{}]", fmt::join(wheel.extras, ","));
    return fmt::format("{}{} {}", name, extras, wheel.version);
  }

  Children children_;
  std::map<std::string, const spec::LockedWheel*> wheels_;
  std::set<std::string> drawn_;
};

constexpr std::string_view kRepeats = "(*) what is below it stands further up\n";

}  // namespace

std::string layers_text(const spec::Lock& lock) {
  std::vector<std::string> layers;
  if (!lock.gpus.empty()) layers.push_back(fmt::format("GPU {}", fmt::join(lock.gpus, " and ")));
  if (!lock.driver.empty()) layers.push_back("driver " + lock.driver);
  if (!lock.cuda_compat.empty()) layers.push_back("cuda-compat " + lock.cuda_compat);
  if (!lock.cuda.empty()) layers.push_back("CUDA " + lock.cuda);
  if (!lock.cpu.empty()) layers.push_back("processor " + lock.cpu);
  layers.push_back("glibc " + lock.glibc);
  layers.push_back(fmt::format("Python {} on {}", lock.python_version, lock.architecture));
  return fmt::format("{}", fmt::join(layers, ", "));
}

std::string draw_tree(const spec::Lock& lock) {
  std::vector<std::string> asked;
  for (const spec::LockedWheel& wheel : lock.wheels) {
    if (std::ranges::find(wheel.because, spec::kAskedByUser) != wheel.because.end()) {
      asked.push_back(wheel.name);
    }
  }
  Drawing drawing(lock, [&](const std::string& name) {
    const spec::LockedWheel* wheel = plan::find_wheel(lock, name);
    return wheel == nullptr ? std::vector<std::string>() : wheel->dependencies;
  });
  drawing.draw(asked, "");
  return fmt::format("{}\n{}{}", layers_text(lock), drawing.text,
                     drawing.has_repeats ? kRepeats : "");
}

std::string draw_reasons(const spec::Lock& lock, const spec::LockedWheel& wheel) {
  Drawing drawing(lock, [&](const std::string& name) {
    const spec::LockedWheel* found = plan::find_wheel(lock, name);
    return found == nullptr ? std::vector<std::string>() : found->because;
  });
  drawing.draw(wheel.because, "");
  return fmt::format("{} {}, `{}` from `{}`\n{}{}", wheel.name, wheel.version, wheel.file_name,
                     wheel.index, drawing.text, drawing.has_repeats ? kRepeats : "");
}

}  // namespace slipway::cli
