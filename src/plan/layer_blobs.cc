#include "plan/layer_blobs.h"

#include <fcntl.h>

#include "base/file.h"
#include "plan/artifacts.h"

namespace slipway::plan {

Result<void> LayerBlobs::prepare(const std::string& reference,
                                 std::span<const oci::Descriptor> layers) {
  std::vector<Artifact> wheels;
  for (const oci::Descriptor& layer : layers) {
    if (store_.has_blob(layer.digest)) continue;
    const auto text = TRY(store_.find_recipe(layer.digest));
    if (!text) {
      return make_error(ErrorKind::NotFound, "layer {} of `{}` is not in the store any more",
                        layer.digest.text(), reference)
          .hint("`slipway build` makes it again");
    }
    LayerRecipe recipe = TRY(parse_recipe(*text));
    wheels.insert(wheels.end(), recipe.wheels.begin(), recipe.wheels.end());
    recipes_.emplace(layer.digest, std::move(recipe));
  }
  return fetch_artifacts(wheels, {}, tools_);
}

Result<void> LayerBlobs::write(const oci::Descriptor& layer, Sink& out,
                               const CancelToken& cancel) const {
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
