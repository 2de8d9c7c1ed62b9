#include "plan/save_image.h"

#include <fcntl.h>

#include "base/file.h"
#include "layer/image_writer.h"
#include "plan/layer_blobs.h"
#include "plan/recompressed_image.h"

namespace slipway::plan {

Result<void> save_image(const StoredImage& image, SaveFormat format,
                        std::optional<oci::LayerCompression> compression, const std::string& path,
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
  TRY(blobs.prepare(image.reference, image.manifest.layers));

  std::optional<RecompressedImage> packed;
  if (compression) packed.emplace(TRY(recompress_image(image, *compression, store, blobs, tools)));
  const layer::ImageBytes bytes{packed ? packed->manifest : TRY(store.read_blob(image.digest)),
                                TRY(store.read_blob(image.manifest.config.digest)),
                                TRY(store::parse_image_name(image.reference))};
  const layer::ImageFormat how = to_folder ? layer::ImageFormat::OciFolder
                                 : format == SaveFormat::OciLayout
                                     ? layer::ImageFormat::OciArchive
                                     : layer::ImageFormat::DockerArchive;
  const auto write_layer = [&](const oci::Descriptor& layer, Sink& out) -> Result<void> {
    if (!packed || !packed->files.contains(layer.digest)) {
      return blobs.write(layer, out, tools.cancel);
    }
    const UniqueFd fd = TRY(open_file(packed->files.at(layer.digest), O_RDONLY));
    FdSource source(fd.get());
    TRY(copy(source, out));
    return {};
  };
  if (path == "-") {
    FdSink out(1);
    return layer::write_image(bytes, how, out, write_layer, tools.cancel);
  }
  return layer::save_image(bytes, how, path, write_layer, tools.cancel);
}

}  // namespace slipway::plan
