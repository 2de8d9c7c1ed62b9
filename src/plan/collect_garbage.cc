#include "plan/collect_garbage.h"

#include <algorithm>
#include <map>
#include <utility>

#include "plan/base_image.h"
#include "plan/image_lock.h"
#include "plan/lazy_folder.h"
#include "plan/runs.h"
#include "plan/stored_images.h"

namespace slipway::plan {

namespace {

/// The manifests that refer to an image, and what they need.
Result<void> keep_referrers(const store::Store& store, const Digest& image,
                            const std::function<void(const std::string&)>& warn,
                            store::Reachable& reachable) {
  for (const Digest& referrer : TRY(store.list_referrers(image))) {
    reachable.blobs.insert(referrer);
    const auto text = store.read_blob(referrer, oci::kMostManifestBytes);
    const auto manifest =
        text.ok() ? oci::parse_manifest(*text) : Result<oci::Manifest>(text.error());
    if (!manifest.ok()) {
      warn(fmt::format("a signature of {} is broken: {}", image.text(), manifest.error().message));
      continue;
    }
    reachable.blobs.insert(manifest->config.digest);
    for (const oci::Descriptor& layer : manifest->layers) reachable.blobs.insert(layer.digest);
  }
  return {};
}

/// What building the image again needs of the image below it, besides the layers that it shares.
void keep_base(const store::Store& store, const oci::ImageConfig& config,
               store::Reachable& reachable) {
  const auto label = config.labels.find(kBaseDigestLabel);
  if (label == config.labels.end()) return;
  const Result<Digest> digest = parse_digest(label->second);
  if (!digest.ok() || !store.has_blob(*digest)) return;
  const auto base = read_stored_image(store, label->second, *digest);
  if (!base.ok()) return;  // it is fetched again when it is needed
  reachable.blobs.insert(*digest);
  reachable.blobs.insert(base->manifest.config.digest);
}

/// Of those that no name keeps.
std::vector<HeldImage> find_held(const std::vector<run::KnownRun>& runs,
                                 std::span<const Digest> named) {
  std::map<std::pair<std::string, Digest>, HeldImage> held;
  for (const run::KnownRun& run : runs) {
    const Result<Digest> digest = parse_digest(run.facts.image_digest);
    if (!digest.ok() || std::ranges::find(named, *digest) != named.end()) continue;
    HeldImage& image = held[{run.facts.image, *digest}];
    image.reference = run.facts.image;
    image.digest = *digest;
    image.runs.push_back(run.facts.name);
    image.has_living_runs = image.has_living_runs || run.goes_on();
  }
  std::vector<HeldImage> list;
  for (auto& [key, image] : held) {
    std::ranges::sort(image.runs);
    list.push_back(std::move(image));
  }
  return list;
}

/// By its name alone, so that one whose manifest is broken can be forgotten too.
Result<store::ImageName> find_name(const std::string& word, const store::Store& store,
                                   const Tools& tools) {
  const auto name = store::parse_image_name(word);
  if (name.ok() && TRY(store.find_image(*name))) return *name;
  const StoredImage found = TRY(find_stored_image(word, tools));
  return store::parse_image_name(found.reference);
}

}  // namespace

Result<Collected> collect_garbage(const GarbageRequest& request, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  store::GarbageOptions options = request.options;
  for (const std::string& name : request.images) {
    options.forget.push_back(TRY(find_name(name, store, tools)));
  }
  for (const std::string& name : request.keep) {
    options.keep_images.push_back(TRY(find_name(name, store, tools)));
  }
  std::vector<HeldImage> held;
  std::set<std::string> warned;  // it may be asked several times
  const auto warn = [&](const std::string& line) {
    if (warned.insert(line).second) tools.reporter.warn(line);
  };
  std::set<Digest> kept_layers;
  const auto find_reachable = [&](std::span<const Digest> manifests) -> Result<store::Reachable> {
    store::Reachable reachable;
    // Facts about wheels and layers are small, and save work when the same come again.
    reachable.known_kinds = {"wheel-paths", "libraries", "collisions", "closure", "image", "layer"};
    std::set<Digest> roots(manifests.begin(), manifests.end());
    // Runs that have ended keep theirs too: what they wrote lies on top of it.
    const std::vector<run::KnownRun> runs = TRY(list_runs(tools));
    held = find_held(runs, manifests);
    for (const run::KnownRun& run : runs) {
      const Result<Digest> digest = parse_digest(run.facts.image_digest);
      if (digest.ok()) roots.insert(*digest);
    }
    for (const Digest& manifest : roots) {
      const auto image = read_stored_image(store, manifest.text(), manifest);
      if (!image.ok()) {
        warn(image.error().message);
        continue;
      }
      reachable.blobs.insert(manifest);
      TRY(keep_referrers(store, manifest, warn, reachable));
      reachable.blobs.insert(image->manifest.config.digest);
      if (const auto lock = find_lock_digest(image->config)) reachable.blobs.insert(*lock);
      keep_base(store, image->config, reachable);
      if (!image->config.diff_ids.empty()) {
        reachable.layers.insert(oci::chain_id(image->config.diff_ids));
      }
      for (const ImageLayer& layer : image->layers()) {
        reachable.blobs.insert(layer.digest);
        reachable.known.insert(layer.digest);
        reachable.recipes.insert(layer.digest);
        reachable.layers.insert(layer.diff_id);
        reachable.known.insert(layer.diff_id);
      }
    }
    kept_layers = reachable.layers;
    return reachable;
  };
  const store::Swept swept =
      TRY(store::collect_garbage(store, options, find_reachable, tools.reporter, tools.cancel));
  if (options.effect == store::Effect::Remove) TRY(LazyFolder::sweep(store, kept_layers));
  return Collected{swept, std::move(held)};
}

}  // namespace slipway::plan
