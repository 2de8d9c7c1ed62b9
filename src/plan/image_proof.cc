#include "plan/image_proof.h"

#include <map>

#include "base/threads.h"
#include "gpu/closure.h"
#include "plan/wheel_facts.h"

namespace slipway::plan {
namespace {

/// Changes with the rules: what an older version found good is looked at again.
constexpr std::string_view kRules = "closure 2";

Result<gpu::LayerLibraries> libraries_of(const store::Store& store, const ImageLayer& layer,
                                         const Tools& tools) {
  if (const auto text = TRY(store.find_known("libraries", layer.diff_id))) {
    Result<gpu::LayerLibraries> libraries = gpu::parse_layer_libraries(*text);
    if (libraries.ok()) return libraries;  // else an older version wrote it: scan again
  }
  gpu::LayerLibraries libraries =
      TRY(gpu::scan_layer(store.layer_path(layer.diff_id), tools.cancel));
  TRY(store.put_known("libraries", layer.diff_id, gpu::write_layer_libraries(libraries)));
  return libraries;
}

/// Which package brought a file: looked up only for what is missing.
class Owners {
 public:
  Owners(const store::Store& store, const spec::Lock& lock, const Tools& tools)
      : store_(store), lock_(lock), tools_(tools) {}

  std::string find(const std::string& path) {
    if (by_path_.empty()) read();
    const auto found = by_path_.find(path.substr(path.starts_with('/') ? 1 : 0));
    return found == by_path_.end() ? std::string() : found->second;
  }

 private:
  void read() {
    by_path_.emplace("", "");
    const auto wheels = read_wheel_facts(store_, lock_, tools_);
    if (!wheels.ok()) return;
    for (const WheelFacts& wheel : wheels.value()) {
      for (const layer::WheelPath& path : wheel.paths) by_path_[path.path] = wheel.label();
    }
  }

  const store::Store& store_;
  const spec::Lock& lock_;
  const Tools& tools_;
  std::map<std::string, std::string> by_path_;
};

}  // namespace

Result<void> prove_image(const store::Store& store, const spec::Lock& lock,
                         std::span<const ImageLayer> layers, const Tools& tools) {
  std::string text(kRules);
  for (const ImageLayer& layer : layers) text += " " + layer.diff_id.hex();
  const Digest key = sha256(text);
  if (TRY(store.find_known("closure", key))) return {};

  std::vector<gpu::LayerLibraries> libraries(layers.size());
  const auto read = [&](std::size_t i) -> Result<void> {
    libraries[i] = TRY(libraries_of(store, layers[i], tools));
    return {};
  };
  TRY(for_each_parallel(layers.size(), usable_cores(), tools.cancel, read));
  Owners owners(store, lock, tools);
  gpu::ClosureRequest request;
  request.layers = libraries;
  request.find_owner = [&](const std::string& path) { return owners.find(path); };
  for (const spec::LockedWheel& wheel : lock.wheels) request.installed[wheel.name] = wheel.version;
  const gpu::ClosureReport report = gpu::check_closure(request);
  if (!report.missing.empty()) return gpu::closure_error(report.missing);
  tools.reporter.done(
      fmt::format("proved: the libraries that {} ELF files need are in the image{}", report.files,
                  report.optional.empty()
                      ? ""
                      : fmt::format(" ({} known gaps that do no harm)", report.optional.size())));
  return store.put_known("closure", key, fmt::format("{} files\n", report.files));
}

}  // namespace slipway::plan
