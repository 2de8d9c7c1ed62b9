// The part of LayerBuilder that makes layers of bytecode.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/threads.h"
#include "layer/bytecode.h"
#include "layer/layer_groups.h"
#include "plan/image_layers.h"
#include "plan/known_layers.h"

namespace slipway::plan {
namespace {

/// What the bytecode depends on besides the source: the packages that bring the interpreter, or the
/// image.
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

}  // namespace

/// The cache is the caller's, to be deleted at any time; in a user namespace we are another.
Result<void> LayerBuilder::give_to_owner(const std::string& path) const {
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) return errno_error("cannot look at `" + path + "`");
  if (status.st_uid != tools_.owner.uid &&
      ::lchown(path.c_str(), tools_.owner.uid, tools_.owner.gid) != 0) {
    return errno_error("cannot give `" + path + "` to its owner");
  }
  if (!S_ISDIR(status.st_mode) || tools_.owner.uid == ::geteuid()) return {};
  for (const std::string& name : TRY(list_folder(path))) TRY(give_to_owner(join_path(path, name)));
  return {};
}

/// Bytecode of the wheels that share a layer.
struct LayerBuilder::BytecodeGroup {
  Digest key;
  std::vector<const WheelFacts*> wheels;
  std::optional<layer::LayerFacts> facts;  ///< where the layer is known

  std::vector<std::string> labels() const {
    std::vector<std::string> labels;
    for (const WheelFacts* wheel : wheels) labels.push_back("bytecode of " + wheel->label());
    return labels;
  }
};

Result<std::vector<LayerBuilder::BytecodeGroup>> LayerBuilder::group_bytecode(
    const std::vector<WheelFacts>& wheels, const layer::BytecodeOptions& options) {
  std::vector<const WheelFacts*> compiled;
  std::vector<layer::GroupInput> inputs;
  for (const WheelFacts& wheel : wheels) {
    if (wheel.source_bytes() == 0) continue;
    compiled.push_back(&wheel);
    inputs.push_back({wheel.input.name, wheel.source_bytes()});
  }
  std::vector<BytecodeGroup> groups;
  for (const auto& indices : layer::plan_layers(inputs, layer::bytecode_groups())) {
    BytecodeGroup group;
    std::string key = "bytecode";
    for (const std::size_t i : indices) {
      group.wheels.push_back(compiled[i]);
      key += " " + layer::bytecode_key(compiled[i]->input.sha256, options).hex();
    }
    group.key = sha256(key);
    group.facts = TRY(find_layer(store_, group.key));
    groups.push_back(std::move(group));
  }
  return groups;
}

Result<std::vector<ImageLayer>> LayerBuilder::bytecode_layers(
    const std::vector<WheelFacts>& wheels, const std::map<std::string, std::string>& wheel_trees,
    const std::vector<ImageLayer>& base) {
  layer::BytecodeOptions options;
  for (auto layer = base.rbegin(); layer != base.rend(); ++layer) {
    // Images have empty layers more than once, which overlayfs refuses. What is on top counts: it
    // does there all that it does below.
    std::string folder = store_.layer_path(layer->diff_id);
    if (std::ranges::find(options.base_folders, folder) != options.base_folders.end()) continue;
    options.base_folders.push_back(std::move(folder));
  }
  options.scratch_folder = store_.home() + "/tmp";
  options.output_folder = request_.bytecode_folder.empty() ? tools_.cache_folder + "/bytecode"
                                                           : request_.bytecode_folder;
  options.interpreter = interpreter_digest(lock_);
  const layer::WheelLayerOptions python = wheel_options(lock_);
  options.prefix = python.prefix;
  options.python_major = python.python_major;
  options.python_minor = python.python_minor;
  if (lock_.base) {
    options.interpreter_path = lock_.base->interpreter;
    options.tree = layer::BytecodeOptions::Tree::Foreign;
  }

  const std::vector<BytecodeGroup> groups = TRY(group_bytecode(wheels, options));
  std::vector<layer::BytecodeInput> to_compile;
  std::map<const WheelFacts*, std::size_t> position;
  for (const BytecodeGroup& group : groups) {
    if (group.facts) continue;
    for (const WheelFacts* wheel : group.wheels) {
      position[wheel] = to_compile.size();
      to_compile.push_back({wheel->label(), wheel->input.sha256, wheel_trees.at(wheel->input.name),
                            wheel->sources()});
    }
  }
  const auto trees =
      TRY_WHILE("compiling Python files",
                layer::build_bytecode(to_compile, options, tools_.reporter, tools_.cancel));
  if (!trees.empty()) TRY(give_to_owner(options.output_folder));

  std::vector<ImageLayer> layers(groups.size());
  const auto write = [&](std::size_t i) -> Result<void> {
    const BytecodeGroup& group = groups[i];
    if (group.facts) {
      layers[i] = describe_layer(*group.facts, group.labels());
      return {};
    }
    std::vector<layer::BytecodeTree> parts;
    for (const WheelFacts* wheel : group.wheels) parts.push_back(trees[position.at(wheel)]);
    std::vector<layer::Entry> entries = TRY(layer::bytecode_entries(parts));
    layers[i] = TRY(entries_layer(group.key, std::move(entries), group.labels()));
    return {};
  };
  TRY(for_each_parallel(groups.size(), usable_cores(), tools_.cancel, write));
  if (!to_compile.empty()) {
    tools_.reporter.done(fmt::format("compiled the Python files of {} wheels", to_compile.size()));
  }
  return layers;
}

}  // namespace slipway::plan
