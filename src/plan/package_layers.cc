#include "plan/package_layers.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "layer/layer_groups.h"
#include "plan/known_layers.h"
#include "plan/layer_recipe.h"

namespace slipway::plan {

std::vector<std::string> PackageLayers::BytecodeGroup::labels() const {
  std::vector<std::string> labels;
  for (const WheelFacts* wheel : wheels) {
    labels.push_back(std::string(kBytecodeOf) + wheel->label());
  }
  return labels;
}

PackageLayers::PackageLayers(const LayerKeeper& keeper, const store::Store& store,
                             const spec::Lock& lock, const BuildRequest& request,
                             const Tools& tools, const std::vector<WheelFacts>& wheels)
    : keeper_(keeper), store_(store), lock_(lock), request_(request), tools_(tools) {
  for (const WheelFacts& wheel : wheels) facts_[wheel.input.name] = &wheel;
  groups_ = group_wheels(lock, request.bytecode, tools);
  unpacked_.resize(groups_.size());
  half_made_.resize(groups_.size());
  layers_.resize(groups_.size());
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    for (const layer::WheelInput& wheel : groups_[i].wheels) group_of_[wheel.name] = i;
  }

  options_.scratch_folder = store.home() + "/tmp";
  options_.output_folder =
      request.bytecode_folder.empty() ? tools.cache_folder + "/bytecode" : request.bytecode_folder;
  options_.interpreter = interpreter_digest(lock);
  const layer::WheelLayerOptions python = wheel_options(lock);
  options_.prefix = python.prefix;
  options_.python_major = python.python_major;
  options_.python_minor = python.python_minor;
  if (lock.base) {
    options_.interpreter_path = lock.base->interpreter;
    options_.tree = layer::BytecodeOptions::Tree::Foreign;
  }
  if (request.bytecode == Bytecode::Yes) {
    group_bytecode();
    layer::sweep_bytecode(options_.output_folder);
  }
  bytecode_layers_.resize(bytecode_groups_.size());
  order_pieces();
}

void PackageLayers::group_bytecode() {
  std::vector<const WheelFacts*> compiled;
  std::vector<layer::GroupInput> inputs;
  for (const auto& [name, wheel] : facts_) {
    if (!is_large(wheel->input) || wheel->sources().empty()) continue;
    compiled.push_back(wheel);
    inputs.push_back({name, wheel->source_bytes()});
  }
  for (const auto& indices : layer::plan_layers(inputs, layer::large_bytecode_groups())) {
    BytecodeGroup group;
    std::string key = "bytecode";
    for (const std::size_t i : indices) {
      group.wheels.push_back(compiled[i]);
      key += " " + layer::bytecode_key(compiled[i]->input.sha256, options_).hex();
    }
    group.key = sha256(key);
    bytecode_groups_.push_back(std::move(group));
  }
}

/// What must wait for the base comes behind what need not; the largest of each first, so that no
/// core is left alone with one at the end.
void PackageLayers::order_pieces() {
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    std::uint64_t wheels = 0, sources = 0;
    for (const layer::WheelInput& wheel : groups_[i].wheels) {
      wheels += wheel.size_bytes;
      sources += facts_.at(wheel.name)->source_bytes();
    }
    pieces_.push_back({Piece::Work::Unpack, i, wheels});
    if (groups_[i].has_bytecode) pieces_.push_back({Piece::Work::CompileWithin, i, sources});
  }
  for (std::size_t i = 0; i < bytecode_groups_.size(); ++i) {
    std::uint64_t sources = 0;
    for (const WheelFacts* wheel : bytecode_groups_[i].wheels) sources += wheel->source_bytes();
    pieces_.push_back({Piece::Work::CompileBeside, i, sources});
  }
  std::ranges::stable_sort(pieces_, [](const Piece& a, const Piece& b) {
    const bool a_waits = a.work != Piece::Work::Unpack, b_waits = b.work != Piece::Work::Unpack;
    return a_waits != b_waits ? b_waits : a.size_bytes > b.size_bytes;
  });
}

void PackageLayers::give_base(const std::vector<ImageLayer>& base) {
  for (auto layer = base.rbegin(); layer != base.rend(); ++layer) {
    // Images have empty layers more than once, which overlayfs refuses. What is on top counts: it
    // does there all that it does below.
    std::string folder = store_.layer_path(layer->diff_id);
    if (std::ranges::find(options_.base_folders, folder) != options_.base_folders.end()) continue;
    options_.base_folders.push_back(std::move(folder));
  }
  base_.open();
}

Result<void> PackageLayers::make(std::size_t piece, const CancelToken& cancel) {
  const std::size_t index = pieces_[piece].index;
  switch (pieces_[piece].work) {
    case Piece::Work::Unpack:
      return unpack(index, cancel);
    case Piece::Work::CompileWithin:
      return compile_within(index, cancel);
    case Piece::Work::CompileBeside:
      return compile_beside(index, cancel);
  }
  return {};
}

void PackageLayers::put(ImageLayer& place, ImageLayer layer) const {
  place = std::move(layer);
  if (request_.on_layer) request_.on_layer(place);
}

Result<void> PackageLayers::unpack(std::size_t index, const CancelToken& cancel) {
  const WheelGroup& group = groups_[index];
  const layer::WheelLayerOptions options = wheel_options(lock_);
  if (const auto facts = TRY(find_layer(store_, group.key))) {
    put(layers_[index], describe_layer(*facts, group.labels()));
  } else if (group.has_bytecode) {
    TemporaryFolder tree = TRY(store_.make_layer_folder());
    store::BlobWriter blob = TRY(store_.start_blob());
    auto half = std::make_unique<Unpacked>(Unpacked{std::move(tree), std::move(blob)});
    half->layer.emplace(TRY(layer::WheelLayer::begin(group.wheels, options, half->tree.path(),
                                                     &half->blob, tools_.reporter, cancel)));
    half_made_[index] = std::move(half);
  } else {
    TemporaryFolder tree = TRY(store_.make_layer_folder());
    const layer::LayerFacts made = TRY(layer::build_wheel_layer(group.wheels, options, &tree.path(),
                                                                nullptr, tools_.reporter, cancel));
    TRY(store_.put_recipe(made.digest, write_recipe(group.wheels, lock_)));
    put(layers_[index], TRY(keeper_.keep(group.key, std::move(tree), made, group.labels())));
  }
  unpacked_[index].open();
  return {};
}

Result<void> PackageLayers::compile_within(std::size_t index, const CancelToken& cancel) {
  TRY(unpacked_[index].wait(cancel));
  const auto half = std::move(half_made_[index]);
  if (!half) return {};  // the store had it
  const WheelGroup& group = groups_[index];
  std::vector<layer::BytecodeInput> inputs;
  for (const layer::WheelInput& wheel : group.wheels) {
    const WheelFacts& facts = *facts_.at(wheel.name);
    inputs.push_back({facts.label(), wheel.sha256, half->tree.path(), facts.sources()});
  }
  std::vector<layer::Entry> entries = TRY(compile(std::move(inputs), cancel));
  const layer::LayerFacts made = TRY(half->layer->finish(std::move(entries)));
  TRY(half->blob.commit(made.digest));
  put(layers_[index], TRY(keeper_.keep(group.key, std::move(half->tree), made, group.labels())));
  return {};
}

Result<void> PackageLayers::compile_beside(std::size_t index, const CancelToken& cancel) {
  const BytecodeGroup& group = bytecode_groups_[index];
  if (const auto facts = TRY(find_layer(store_, group.key))) {
    put(bytecode_layers_[index], describe_layer(*facts, group.labels()));
    return {};
  }
  std::vector<layer::BytecodeInput> inputs;
  for (const WheelFacts* wheel : group.wheels) {
    const std::size_t wheels = group_of_.at(wheel->input.name);
    TRY(unpacked_[wheels].wait(cancel));
    inputs.push_back({wheel->label(), wheel->input.sha256,
                      store_.layer_path(layers_[wheels].diff_id), wheel->sources()});
  }
  std::vector<layer::Entry> entries = TRY(compile(std::move(inputs), cancel));
  put(bytecode_layers_[index],
      TRY(keeper_.make(group.key, std::move(entries), group.labels(), cancel)));
  return {};
}

Result<std::vector<layer::Entry>> PackageLayers::compile(std::vector<layer::BytecodeInput> wheels,
                                                         const CancelToken& cancel) {
  std::erase_if(wheels, [](const auto& wheel) { return wheel.sources.empty(); });
  TRY(base_.wait(cancel));
  compiled_ += wheels.size();
  const auto trees = TRY_WHILE("compiling Python files",
                               layer::build_bytecode(wheels, options_, tools_.reporter, cancel));
  return layer::bytecode_entries(trees);
}

std::vector<ImageLayer> PackageLayers::layers() const {
  std::vector<ImageLayer> layers = layers_;
  layers.insert(layers.end(), bytecode_layers_.begin(), bytecode_layers_.end());
  return layers;
}

Result<void> PackageLayers::give_cache_back() const {
  if (compiled_ == 0 || !path_exists(options_.output_folder)) return {};
  return give_to_owner(options_.output_folder);
}

Result<void> PackageLayers::give_to_owner(const std::string& path) const {
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

}  // namespace slipway::plan
