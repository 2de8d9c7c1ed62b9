#include "plan/image_layers.h"

#include <algorithm>

#include "base/size_text.h"
#include "base/threads.h"
#include "layer/debian_layer.h"
#include "layer/tar_layer.h"
#include "oci/manifest.h"
#include "plan/base_image.h"
#include "plan/image_files.h"
#include "plan/image_frame.h"
#include "plan/known_layers.h"
#include "plan/package_layers.h"
#include "plan/stored_images.h"
#include "plan/wheel_groups.h"

namespace slipway::plan {
namespace {

layer::DebianLayerOptions debian_options(const store::Store& store) {
  layer::DebianLayerOptions options;
  options.scratch_folder = store.home() + "/tmp";
  return options;
}

Digest entries_key(const std::vector<layer::Entry>& entries) {
  Sha256 hash;
  hash.update(fmt::format("entries {}\n", layer::kLayoutVersion));
  for (const layer::Entry& entry : entries) {
    hash.update(fmt::format("{} {} {:o} {} {} {} ", entry.path.size(), entry.path, entry.mode,
                            entry.uid, entry.gid, static_cast<int>(entry.kind)));
    hash.update(fmt::format("{} {} ", entry.link_target.size(), entry.link_target));
    const auto* text = std::get_if<std::string>(&entry.content);
    if (text != nullptr) hash.update(sha256(*text).hex());
  }
  return hash.finish();
}

/// One line, as `docker history` shows them.
oci::History history_of(const ImageLayer& layer) {
  constexpr std::size_t kMostNamed = 8;
  const std::size_t named = std::min(layer.packages.size(), kMostNamed);
  std::string text = fmt::format(
      "slipway: {}", fmt::join(layer.packages.begin(),
                               layer.packages.begin() + static_cast<std::ptrdiff_t>(named), ", "));
  if (named < layer.packages.size()) {
    text += fmt::format(" and {} more", layer.packages.size() - named);
  }
  return {"1980-01-01T00:00:00Z", std::move(text), "", "", false};
}

}  // namespace

ImageTexts encode_image(oci::ImageConfig config, const std::vector<ImageLayer>& layers) {
  oci::Manifest manifest;
  const bool has_history = !config.history.empty();
  for (const char* label : {kBaseNameLabel, kBaseDigestLabel}) {
    const auto base = config.labels.find(label);
    if (base != config.labels.end()) manifest.annotations.insert(*base);
  }
  for (const ImageLayer& layer : layers) {
    config.diff_ids.push_back(layer.diff_id);
    if (has_history && !is_base_layer(layer)) config.history.push_back(history_of(layer));
    oci::Descriptor descriptor;
    descriptor.media_type = layer.media_type;
    descriptor.digest = layer.digest;
    descriptor.size_bytes = layer.size_bytes;
    descriptor.annotations[kPackagesAnnotation] =
        fmt::format("{}", fmt::join(layer.packages, ", "));
    annotate_toc(descriptor.annotations, layer.toc, layer.tar_bytes);
    manifest.layers.push_back(std::move(descriptor));
  }
  ImageTexts texts;
  texts.config = oci::encode_image_config(config);
  manifest.config = oci::describe(oci::kMediaTypeConfig, texts.config);
  texts.manifest = oci::encode_manifest(manifest);
  texts.config_digest = manifest.config.digest;
  texts.manifest_digest = sha256(texts.manifest);
  return texts;
}

Result<void> put_image(const store::Store& store, const store::ImageName& name,
                       const ImageTexts& texts) {
  TRY(store.put_blob_bytes(as_bytes(texts.config)));
  TRY(store.put_blob_bytes(as_bytes(texts.manifest)));
  TRY(store.settle_layers());
  return store.set_image(name, texts.manifest_digest);
}

Result<std::vector<Artifact>> needed_artifacts(const store::Store& store, const spec::Lock& lock,
                                               Bytecode bytecode, const Tools& tools) {
  std::vector<Artifact> needed;
  const Digest key = lock.base
                         ? TRY(apt_key(store, lock, tools))
                         : layer::debian_layer_key(deb_inputs(lock, tools), debian_options(store));
  if (!lock.debs.empty() && !TRY(find_layer(store, key))) {
    for (const spec::LockedDeb& deb : lock.debs) needed.push_back(make_artifact(deb));
  }
  std::map<std::string, const spec::LockedWheel*> wheels;
  for (const spec::LockedWheel& wheel : lock.wheels) wheels[wheel.name] = &wheel;
  for (const WheelGroup& group : group_wheels(lock, bytecode, tools)) {
    const bool known = TRY(find_layer(store, group.key)).has_value();
    for (const layer::WheelInput& wheel : group.wheels) {
      if (known && knows_wheel(store, lock, wheel.sha256)) continue;
      needed.push_back(make_artifact(*wheels.at(wheel.name)));
    }
  }
  return needed;
}

Result<ImageLayer> LayerBuilder::base_layer(const CancelToken& cancel) {
  const auto debs = deb_inputs(lock_, tools_);
  const layer::DebianLayerOptions options = debian_options(store_);
  const Digest key = layer::debian_layer_key(debs, options);
  std::vector<std::string> packages;
  for (const spec::LockedDeb& deb : lock_.debs) packages.push_back(deb.name + " " + deb.version);
  if (const auto facts = TRY(find_layer(store_, key))) return describe_layer(*facts, packages);

  TemporaryFolder tree = TRY(store_.make_layer_folder());
  store::BlobWriter blob = TRY(store_.start_blob());
  const layer::LayerFacts facts = TRY_WHILE(
      "building the Debian base",
      layer::build_debian_layer(debs, options, tree.path(), blob, tools_.reporter, cancel));
  TRY(blob.commit(facts.digest));
  tools_.reporter.done(fmt::format("built the base: {} Debian packages, {}", debs.size(),
                                   size_text(facts.unpacked_bytes)));
  return keeper_.keep(key, std::move(tree), facts, std::move(packages));
}

Result<std::vector<ImageLayer>> LayerBuilder::base_layers(const CancelToken& cancel) {
  if (!lock_.base) return std::vector<ImageLayer>{TRY(base_layer(cancel))};
  const auto base = TRY(find_base_image(store_, lock_));
  if (!base) {
    return make_error(ErrorKind::NotFound, "the base `{}` is not in the store any more",
                      lock_.base->image)
        .hint("`slipway build` fetches it again");
  }
  Tools tools = tools_;
  tools.cancel = cancel;
  TRY_WHILE(fmt::format("unpacking the base `{}`", base->reference),
            unpack_layers(base->image, store_, tools));
  std::vector<ImageLayer> layers = base->layers();
  if (!lock_.debs.empty()) layers.push_back(TRY(apt_layer(layers, cancel)));
  return layers;
}

Result<ImageLayer> LayerBuilder::frame_layer(const std::vector<ImageLayer>& base) {
  std::vector<LayerFolder> folders;
  for (auto layer = base.rbegin(); layer != base.rend(); ++layer) {
    folders.push_back({layer->diff_id, store_.layer_path(layer->diff_id)});
  }
  const ImageFiles files(std::move(folders));
  const layer::UserFiles users{files.text("/etc/passwd"), files.text("/etc/group"),
                               files.text("/etc/shadow")};
  std::vector<layer::Entry> entries = TRY(frame_entries(project_.spec, lock_, users));
  const Digest key = entries_key(entries);
  return keeper_.make(key, std::move(entries), {"frame"}, tools_.cancel);
}

Result<std::vector<ImageLayer>> LayerBuilder::code_layers() {
  std::vector<layer::Entry> entries = TRY(code_entries(project_));
  if (entries.empty()) return std::vector<ImageLayer>();
  // The user's files may change at any time: what is hashed is what is put in.
  for (layer::Entry& entry : entries) {
    if (const auto* file = std::get_if<layer::HostFile>(&entry.content)) {
      entry.content = TRY(read_file(file->path));
    }
  }
  const Digest key = entries_key(entries);
  const ImageLayer layer = TRY(keeper_.make(key, std::move(entries), {"project"}, tools_.cancel));
  return std::vector<ImageLayer>{layer};
}

Result<void> LayerBuilder::check_wheel_collisions(const std::vector<WheelFacts>& wheels) {
  std::string text = "no collision";
  for (const WheelFacts& wheel : wheels) text += " " + wheel.input.sha256.hex();
  const Digest key = sha256(text);
  if (TRY(store_.find_known("collisions", key))) return {};
  std::vector<layer::WheelInput> inputs;
  std::vector<std::vector<layer::WheelPath>> paths;
  for (const WheelFacts& wheel : wheels) {
    inputs.push_back(wheel.input);
    paths.push_back(wheel.paths);
  }
  TRY(layer::check_collisions(inputs, paths));
  return store_.put_known("collisions", key, "none\n");
}

Result<std::vector<ImageLayer>> LayerBuilder::build() {
  const std::vector<WheelFacts> wheels = TRY(read_wheel_facts(store_, lock_, tools_));
  TRY(check_frame(lock_, wheels));
  TRY(check_wheel_collisions(wheels));
  PackageLayers packages(keeper_, store_, lock_, request_, tools_, wheels);
  std::vector<ImageLayer> base;
  // The base before them all: it takes one core for longest.
  const auto make = [&](std::size_t i, const CancelToken& cancel) -> Result<void> {
    if (i > 0) return packages.make(i - 1, cancel);
    base = TRY(base_layers(cancel));
    packages.give_base(base);
    if (request_.on_layer) std::ranges::for_each(base, request_.on_layer);
    return {};
  };
  const Result<void> made =
      for_each_parallel(packages.count() + 1, usable_cores(), tools_.cancel, make);
  const Result<void> given_back = packages.give_cache_back();
  TRY(made);
  TRY(given_back);
  if (packages.compiled() > 0) {
    tools_.reporter.done(
        fmt::format("compiled the Python files of {} wheels", packages.compiled()));
  }

  std::vector<ImageLayer> layers = base;
  layers.push_back(TRY(frame_layer(base)));
  for (auto&& more : {packages.layers(), TRY(code_layers())}) {
    layers.insert(layers.end(), more.begin(), more.end());
  }
  return layers;
}

}  // namespace slipway::plan
