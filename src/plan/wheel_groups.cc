#include "plan/wheel_groups.h"

#include <algorithm>

#include "layer/layer_groups.h"
#include "plan/image_frame.h"
#include "plan/wheel_facts.h"

namespace slipway::plan {

bool is_bytecode(const ImageLayer& layer) {
  return !layer.packages.empty() && layer.packages.front().starts_with(kBytecodeOf);
}

bool is_compiled(const ImageLayer& layer) {
  return !layer.packages.empty() && layer.packages.back() == kBytecodeLabel;
}

std::vector<std::string> WheelGroup::labels() const {
  std::vector<std::string> labels;
  for (const layer::WheelInput& wheel : wheels) labels.push_back(wheel.name + " " + wheel.version);
  if (has_bytecode) labels.push_back(kBytecodeLabel);
  return labels;
}

bool is_large(const layer::WheelInput& wheel) {
  return wheel.size_bytes >= layer::kLargeWheelBytes;
}

std::vector<WheelGroup> group_wheels(const spec::Lock& lock, Bytecode bytecode,
                                     const Tools& tools) {
  std::vector<layer::GroupInput> inputs;
  for (const spec::LockedWheel& wheel : lock.wheels) {
    inputs.push_back({wheel.name, wheel.size_bytes});
  }
  const std::string interpreter = interpreter_digest(lock).hex();
  std::vector<WheelGroup> groups;
  for (const std::vector<std::size_t>& indices : layer::plan_layers(inputs)) {
    WheelGroup group;
    for (const std::size_t i : indices) group.wheels.push_back(make_input(lock.wheels[i], tools));
    group.has_bytecode = bytecode == Bytecode::Yes && !is_large(group.wheels.front());
    std::string key =
        fmt::format("wheels {} {} {}", layer::kLayoutVersion, kVenv, lock.python_version);
    if (group.has_bytecode) key += " bytecode " + interpreter;
    for (const layer::WheelInput& wheel : group.wheels) key += " " + wheel.sha256.hex();
    group.key = sha256(key);
    groups.push_back(std::move(group));
  }
  std::ranges::stable_partition(groups, [](const auto& group) { return !group.has_bytecode; });
  return groups;
}

Digest interpreter_digest(const spec::Lock& lock) {
  Sha256 hash;
  if (lock.base)
    hash.update(fmt::format("{} {}", lock.base->digest.text(), lock.base->interpreter));
  for (const spec::LockedDeb& deb : lock.debs) {
    if (deb.name.find("python" + lock.python_version) != std::string::npos) {
      hash.update(deb.sha256.hex());
    }
  }
  return hash.finish();
}

}  // namespace slipway::plan
