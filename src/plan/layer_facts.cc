#include "plan/layer_facts.h"

#include "base/threads.h"
#include "layer/wheel_layer.h"
#include "plan/artifacts.h"
#include "plan/wheel_facts.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kLayerKind = "libraries";
constexpr std::string_view kWheelKind = "wheel-libraries";

/// Nothing where none are kept, or an older version wrote them.
Result<std::optional<gpu::LayerLibraries>> find_facts(const store::Store& store,
                                                      std::string_view kind, const Digest& key) {
  if (const auto text = TRY(store.find_known(kind, key))) {
    Result<gpu::LayerLibraries> libraries = gpu::parse_layer_libraries(*text);
    if (libraries.ok()) return std::optional(std::move(libraries).value());
  }
  return std::optional<gpu::LayerLibraries>();
}

/// Of a wheel for one Python: its folder has the version in its name.
Digest wheel_key(const Digest& sha256, const layer::WheelLayerOptions& options) {
  if (options.python_minor == 11) return sha256;
  return slipway::sha256(fmt::format("{} 3.{}", sha256.text(), options.python_minor));
}

Result<gpu::LayerLibraries> read_wheel(const store::Store& store, const layer::WheelInput& wheel,
                                       layer::WheelLayerOptions options, const Tools& tools) {
  const TemporaryFolder tree = TRY(store.make_layer_folder());
  SilentReporter silent;  // it would speak of building
  // Whoever checks need not be root, or have ids to give files to.
  options.owners = layer::Owners::Caller;
  TRY(layer::build_wheel_layer({&wheel, 1}, options, &tree.path(), nullptr, silent, tools.cancel));
  gpu::LayerLibraries libraries = TRY(gpu::scan_layer(tree.path(), tools.cancel));
  TRY(store.put_known(kWheelKind, wheel_key(wheel.sha256, options),
                      gpu::write_layer_libraries(libraries)));
  return libraries;
}

}  // namespace

Result<gpu::LayerLibraries> read_layer_facts(const store::Store& store, const Digest& diff_id,
                                             const Tools& tools) {
  if (auto known = TRY(find_facts(store, kLayerKind, diff_id))) return std::move(*known);
  gpu::LayerLibraries libraries = TRY(gpu::scan_layer(store.layer_path(diff_id), tools.cancel));
  TRY(store.put_known(kLayerKind, diff_id, gpu::write_layer_libraries(libraries)));
  return libraries;
}

Result<std::vector<gpu::LayerLibraries>> read_lock_facts(
    const store::Store& store, const spec::Lock& lock,
    const std::vector<spec::PythonIndex>& indexes, const Tools& tools) {
  std::vector<std::optional<gpu::LayerLibraries>> known(lock.wheels.size());
  const layer::WheelLayerOptions options = wheel_options(lock);
  const auto look = [&](std::size_t i) -> Result<void> {
    known[i] = TRY(find_facts(store, kWheelKind, wheel_key(lock.wheels[i].sha256, options)));
    return {};
  };
  TRY(for_each_parallel(known.size(), usable_cores(), tools.cancel, look));

  std::vector<Artifact> missing;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (!known[i]) missing.push_back(make_artifact(lock.wheels[i]));
  }
  TRY(fetch_artifacts(missing, {lock.debian, indexes, {}}, tools));
  if (!missing.empty())
    tools.reporter.note(fmt::format("reading {} wheels that are not known yet", missing.size()));
  const auto read = [&](std::size_t i) -> Result<void> {
    if (!known[i])
      known[i] = TRY(read_wheel(store, make_input(lock.wheels[i], tools), options, tools));
    return {};
  };
  TRY(for_each_parallel(known.size(), usable_cores(), tools.cancel, read));
  std::vector<gpu::LayerLibraries> facts;
  for (auto& one : known) facts.push_back(std::move(*one));
  return facts;
}

}  // namespace slipway::plan
