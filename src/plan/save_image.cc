#include "plan/save_image.h"

#include <fcntl.h>

#include "base/file.h"
#include "layer/image_writer.h"
#include "plan/artifacts.h"
#include "plan/layer_recipe.h"

namespace slipway::plan {
namespace {

/// Writes layers from the store: kept blobs as they are, others spliced again.
class LayerBlobs {
 public:
  LayerBlobs(const store::Store& store, const Tools& tools) : store_(store), tools_(tools) {}

  /// Reads the recipes, and brings the wheels that they need back into the cache.
  Result<void> prepare(const StoredImage& image) {
    std::vector<Artifact> wheels;
    for (const oci::Descriptor& layer : image.manifest.layers) {
      if (store_.has_blob(layer.digest)) continue;
      const auto text = TRY(store_.find_recipe(layer.digest));
      if (!text) {
        return make_error(ErrorKind::NotFound, "layer {} of `{}` is not in the store any more",
                          layer.digest.text(), image.reference)
            .hint("`slipway build` makes it again");
      }
      LayerRecipe recipe = TRY(parse_recipe(*text));
      wheels.insert(wheels.end(), recipe.wheels.begin(), recipe.wheels.end());
      recipes_.emplace(layer.digest, std::move(recipe));
    }
    return fetch_artifacts(wheels, {}, tools_);
  }

  Result<void> write(const oci::Descriptor& layer, Sink& out) const {
    const auto recipe = recipes_.find(layer.digest);
    if (recipe == recipes_.end()) {
      const UniqueFd blob = TRY(open_file(store_.blob_path(layer.digest), O_RDONLY));
      FdSource source(blob.get());
      TRY(copy(source, out));
      return {};
    }
    const auto inputs = recipe_inputs(recipe->second, tools_);
    TRY(layer::splice_wheel_layer(inputs, recipe->second.options, out, tools_.reporter,
                                  tools_.cancel));
    return {};
  }

 private:
  const store::Store& store_;
  const Tools& tools_;
  std::map<Digest, LayerRecipe> recipes_;
};

}  // namespace

Result<void> save_image(const StoredImage& image, SaveFormat format, const std::string& path,
                        const Tools& tools) {
  const bool to_folder = path != "-" && (path.ends_with('/') || is_folder(path));
  if (to_folder && format == SaveFormat::DockerArchive) {
    return make_error(ErrorKind::InvalidInput, "a Docker archive is a file, and `{}` is a folder",
                      path)
        .hint("use `-o NAME.tar`, or `--format oci`");
  }
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  LayerBlobs blobs(store, tools);
  TRY(blobs.prepare(image));

  const layer::ImageBytes bytes{TRY(store.read_blob(image.digest)),
                                TRY(store.read_blob(image.manifest.config.digest)),
                                TRY(store::parse_image_name(image.reference))};
  const layer::ImageFormat how = to_folder ? layer::ImageFormat::OciFolder
                                 : format == SaveFormat::OciLayout
                                     ? layer::ImageFormat::OciArchive
                                     : layer::ImageFormat::DockerArchive;
  const auto write_layer = [&](const oci::Descriptor& layer, Sink& out) {
    return blobs.write(layer, out);
  };
  if (path == "-") {
    FdSink out(1);
    return layer::write_image(bytes, how, out, write_layer, tools.cancel);
  }
  return layer::save_image(bytes, how, path, write_layer, tools.cancel);
}

}  // namespace slipway::plan
