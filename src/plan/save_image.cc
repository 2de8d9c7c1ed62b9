#include "plan/save_image.h"

#include "base/file.h"
#include "layer/image_writer.h"
#include "plan/layer_blobs.h"

namespace slipway::plan {

Result<void> save_image(const StoredImage& image, SaveFormat format, std::optional<Packing> packing,
                        const std::string& path, const Tools& tools) {
  const bool to_folder = path != "-" && (path.ends_with('/') || is_folder(path));
  if (to_folder && format == SaveFormat::DockerArchive) {
    return make_error(ErrorKind::InvalidInput, "a Docker archive is a file, and `{}` is a folder",
                      path)
        .hint("use `-o NAME.tar`, or `--format oci`");
  }
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  LayerBlobs blobs(store, tools);
  TRY(blobs.prepare(image.reference, image.manifest.layers));
  TRY(blobs.bring_back());

  std::optional<RecompressedImage> packed;
  if (packing) packed.emplace(TRY(recompress_image(image, *packing, store, blobs, tools)));
  const layer::ImageBytes bytes{packed ? packed->manifest : TRY(store.read_blob(image.digest)),
                                TRY(store.read_blob(image.manifest.config.digest)),
                                TRY(store::parse_image_name(image.reference))};
  const layer::ImageFormat how = to_folder ? layer::ImageFormat::OciFolder
                                 : format == SaveFormat::OciLayout
                                     ? layer::ImageFormat::OciArchive
                                     : layer::ImageFormat::DockerArchive;
  const auto write = [&](const oci::Descriptor& layer, Sink& out) -> Result<void> {
    return packed ? write_layer(*packed, layer, blobs, out, tools.cancel)
                  : blobs.write(layer, out, tools.cancel);
  };
  if (path == "-") {
    FdSink out(1);
    return layer::write_image(bytes, how, out, write, tools.cancel);
  }
  return layer::save_image(bytes, how, path, write, tools.cancel);
}

}  // namespace slipway::plan
