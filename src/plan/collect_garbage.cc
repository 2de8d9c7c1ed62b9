#include "plan/collect_garbage.h"

#include "plan/runs.h"
#include "plan/stored_images.h"

namespace slipway::plan {

Result<store::Swept> collect_garbage(const GarbageRequest& request, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  store::GarbageOptions options = request.options;
  for (const std::string& name : request.images) {
    // By its name alone, so that one whose manifest is broken can be forgotten too.
    const auto image = store::parse_image_name(name);
    if (image.ok() && TRY(store.find_image(*image))) {
      options.forget.push_back(*image);
    } else {
      const StoredImage found = TRY(find_stored_image(name, tools));
      options.forget.push_back(TRY(store::parse_image_name(found.reference)));
    }
  }
  const auto find_reachable = [&](std::span<const Digest> manifests) -> Result<store::Reachable> {
    store::Reachable reachable;
    // Facts about wheels and layers are small, and save work when the same come again.
    reachable.known_kinds = {"wheel-paths", "libraries", "collisions", "closure", "image", "layer"};
    std::set<Digest> roots(manifests.begin(), manifests.end());
    // Runs that have ended keep theirs too: what they wrote lies on top of it.
    for (const run::KnownRun& run : TRY(list_runs(tools))) {
      const Result<Digest> digest = parse_digest(run.facts.image_digest);
      if (digest.ok()) roots.insert(*digest);
    }
    for (const Digest& manifest : roots) {
      const auto image = read_stored_image(store, manifest.text(), manifest);
      if (!image.ok()) {
        tools.reporter.warn(image.error().message);
        continue;
      }
      reachable.blobs.insert(manifest);
      reachable.blobs.insert(image->manifest.config.digest);
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
    return reachable;
  };
  return store::collect_garbage(store, options, find_reachable, tools.reporter, tools.cancel);
}

}  // namespace slipway::plan
