#include "plan/layer_blobs.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/threads.h"
#include "plan/artifacts.h"
#include "plan/incoming_image.h"

namespace slipway::plan {

namespace {

/// Why a layer that is not kept here cannot be had.
Error out_of_reach(Error error, const Digest& layer, const std::string& reference) {
  if (error.kind == ErrorKind::Cancelled) return error;
  return std::move(error)
      .while_doing(fmt::format("fetching layer {} of `{}` once more, which `pull` did not keep",
                               layer.text(), reference))
      .hint(fmt::format("`slipway pull --keep-blobs {}` keeps them, so that no network is needed",
                        reference));
}

}  // namespace

/// A repository that has layers which are not kept here. Its registry is for several threads.
struct LayerBlobs::Away {
  ImagePlace place;
  mutable registry::Registry registry;
};

Result<std::shared_ptr<LayerBlobs::Away>> LayerBlobs::find_away(const BlobOrigin& origin) {
  const auto known = origins_.find(origin);
  if (known != origins_.end()) return known->second;
  const auto name = TRY(store::parse_image_name(origin.repository));
  ImagePlace place = TRY(find_place(name, origin.trust, tools_));
  registry::Registry registry = TRY(registry::Registry::open(place.host, {}, tools_.cancel));
  auto away = std::make_shared<Away>(std::move(place), std::move(registry));
  return origins_.emplace(origin, std::move(away)).first->second;
}

Result<void> LayerBlobs::prepare(const std::string& reference,
                                 std::span<const oci::Descriptor> layers) {
  reference_ = reference;
  std::vector<Artifact> wheels;
  for (const oci::Descriptor& layer : layers) {
    if (store_.has_blob(layer.digest)) continue;
    const auto text = TRY(store_.find_recipe(layer.digest));
    if (!text) {
      return make_error(ErrorKind::NotFound, "layer {} of `{}` is not in the store any more",
                        layer.digest.text(), reference)
          .hint("`slipway build`, or `slipway pull`, brings it again");
    }
    LayerRecipe recipe = TRY(parse_recipe(*text));
    if (recipe.origin) {
      auto away = find_away(*recipe.origin);
      if (!away.ok()) return out_of_reach(std::move(away).error(), layer.digest, reference);
      away_[layer.digest] = {layer, std::move(*away)};
      continue;
    }
    wheels.insert(wheels.end(), recipe.wheels.begin(), recipe.wheels.end());
    recipes_.emplace(layer.digest, std::move(recipe));
  }
  return fetch_artifacts(wheels, {}, tools_);
}

Result<void> LayerBlobs::bring_back() const {
  std::vector<Digest> digests;
  for (const auto& [digest, one] : away_) digests.push_back(digest);
  return for_each_parallel(digests.size(), kParallelDownloads, tools_.cancel,
                           [&](std::size_t i, const CancelToken& cancel) {
                             const auto& [layer, away] = away_.at(digests[i]);
                             return fetch(layer, *away, cancel);
                           });
}

Result<void> LayerBlobs::fetch(const oci::Descriptor& layer, const Away& away,
                               const CancelToken& cancel) const {
  if (store_.has_blob(layer.digest)) return {};
  const std::string folder = arrivals_folder(tools_);
  TRY(make_folders(folder));
  const std::string path = join_path(folder, layer.digest.hex());
  Result<void> fetched =
      away.registry.fetch_blob(away.place.repository, layer, path, layer.digest.hex().substr(0, 12),
                               tools_.reporter, cancel);
  if (fetched.ok()) return store_.adopt_blob(path, layer.digest);
  return out_of_reach(std::move(fetched).error(), layer.digest, reference_);
}

Result<void> LayerBlobs::write(const oci::Descriptor& layer, Sink& out,
                               const CancelToken& cancel) const {
  const auto away = away_.find(layer.digest);
  if (away != away_.end()) TRY(fetch(layer, *away->second.second, cancel));
  const auto recipe = recipes_.find(layer.digest);
  if (recipe == recipes_.end()) {
    const UniqueFd blob = TRY(open_file(store_.blob_path(layer.digest), O_RDONLY));
    FdSource source(blob.get());
    TRY(copy(source, out));
    return {};
  }
  const auto inputs = recipe_inputs(recipe->second, tools_);
  SilentReporter silent;  // it would speak of building
  TRY(layer::splice_wheel_layer(inputs, recipe->second.options, out, silent, cancel));
  return {};
}

}  // namespace slipway::plan
