#include "plan/image_tree.h"

#include "layer/merged_tree.h"
#include "plan/lazy_tree.h"

namespace slipway::plan {
namespace {

Result<std::vector<LayerFolder>> find_layers(const StoredImage& image, const store::Store& store) {
  TRY(check_unpacked(image, store));
  std::vector<LayerFolder> layers;
  const auto& diff_ids = image.config.diff_ids;
  for (auto diff_id = diff_ids.rbegin(); diff_id != diff_ids.rend(); ++diff_id) {
    layers.push_back({*diff_id, store.layer_path(*diff_id)});
  }
  return layers;
}

}  // namespace

Result<void> merge_image_tree(const StoredImage& image, const store::Store& store,
                              const Tools& tools) {
  const std::vector<LayerFolder> layers = TRY(find_layers(image, store));
  const auto merge = [&](const std::string& folder) -> Result<void> {
    const auto task = tools.reporter.start("merging the layers of", image.reference, 0);
    std::vector<std::string> folders;
    for (const LayerFolder& layer : layers) folders.push_back(layer.path);
    TRY(layer::merge_layers(folders, folder, tools.cancel));
    tools.reporter.finish(task);
    return {};
  };
  return store.make_layer_once(oci::chain_id(image.config.diff_ids), merge, tools.reporter,
                               tools.cancel);
}

Result<std::vector<LayerFolder>> find_image_tree(const StoredImage& image,
                                                 const store::Store& store, const Tools& tools) {
  if (image.config.diff_ids.empty()) {
    return make_error(ErrorKind::InvalidInput, "`{}` has no layers", image.reference);
  }
  const Digest chain = oci::chain_id(image.config.diff_ids);
  if (!store.has_layer(chain)) {
    if (auto lazy = TRY(find_lazy_tree(image, store, tools))) return std::vector{std::move(*lazy)};
    const std::vector<LayerFolder> layers = TRY(find_layers(image, store));
    const Result<void> made = merge_image_tree(image, store, tools);
    if (!made.ok() && made.error().kind == ErrorKind::Cancelled) return made.error();
    if (!made.ok()) {
      tools.reporter.warn(
          fmt::format("starting is slower than it could be, for the layers of `{}` "
                      "cannot be merged: {}",
                      image.reference, made.error().message));
      return layers;
    }
  }
  return std::vector<LayerFolder>{{chain, store.layer_path(chain)}};
}

}  // namespace slipway::plan
