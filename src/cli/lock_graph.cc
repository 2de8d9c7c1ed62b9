#include "cli/lock_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/deb_graph.h"
#include "cli/graph_drawing.h"
#include "plan/explain_lock.h"

namespace slipway::cli {
namespace {

Labels wheel_labels(const spec::Lock& lock) {
  Labels labels;
  for (const spec::LockedWheel& wheel : lock.wheels) {
    const std::string extras =
        wheel.extras.empty() ? "" : fmt::format("[{}]", fmt::join(wheel.extras, ","));
    labels[wheel.name] = fmt::format("{}{} {}", wheel.name, extras, wheel.version);
  }
  return labels;
}

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
  if (lock.base) layers.push_back(fmt::format("the base `{}`", lock.base->image));
  return fmt::format("{}", fmt::join(layers, ", "));
}

std::string draw_tree(const spec::Lock& lock) {
  std::vector<std::string> asked;
  for (const spec::LockedWheel& wheel : lock.wheels) {
    if (std::ranges::find(wheel.because, spec::kAskedByUser) != wheel.because.end()) {
      asked.push_back(wheel.name);
    }
  }
  Drawing drawing(wheel_labels(lock), [&](const std::string& name) {
    const spec::LockedWheel* wheel = plan::find_wheel(lock, name);
    return wheel == nullptr ? std::vector<std::string>() : wheel->dependencies;
  });
  drawing.draw(asked);
  return fmt::format("{}\n{}{}", layers_text(lock), drawing.text(), draw_debs(lock));
}

std::string draw_reasons(const spec::Lock& lock, const spec::LockedWheel& wheel) {
  Drawing drawing(wheel_labels(lock), [&](const std::string& name) {
    const spec::LockedWheel* found = plan::find_wheel(lock, name);
    return found == nullptr ? std::vector<std::string>() : found->because;
  });
  drawing.draw(wheel.because);
  return fmt::format("{} {}, `{}` from `{}`\n{}", wheel.name, wheel.version, wheel.file_name,
                     wheel.index, drawing.text());
}

}  // namespace slipway::cli
