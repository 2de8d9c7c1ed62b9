#include "plan/base_image.h"

#include <fcntl.h>

#include "base/file.h"
#include "plan/image_frame.h"
#include "plan/pull_image.h"
#include "plan/stored_images.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kLabelStart = "base layer ";

std::string oci_media_type(const oci::Descriptor& layer) {
  switch (oci::layer_compression(layer.media_type)) {
    case oci::LayerCompression::None:
      return std::string(oci::kMediaTypeLayer);
    case oci::LayerCompression::Zstd:
      return std::string(oci::kMediaTypeLayerZstd);
    default:
      return std::string(oci::kMediaTypeLayerGzip);
  }
}

/// Each is there as a blob, or as a layer of ours that can be spliced again.
Result<bool> has_all_layers(const store::Store& store, const IncomingImage& image) {
  for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
    const Digest& digest = image.manifest.layers[i].digest;
    const bool is_spliced =
        store.has_layer(image.config.diff_ids[i]) && TRY(store.find_recipe(digest)).has_value();
    if (!store.has_blob(digest) && !is_spliced) return false;
  }
  return true;
}

Result<std::optional<BaseImage>> find_base(const store::Store& store,
                                           const spec::LockedBase& base) {
  if (!store.has_blob(base.digest)) return std::optional<BaseImage>();
  const auto written = TRY(store::parse_image_reference(base.image));
  Result<IncomingImage> image = make_incoming(store, {written.name}, base.digest);
  if (!image.ok() && image.error().kind == ErrorKind::NotFound) return std::optional<BaseImage>();
  return std::optional(BaseImage{base.image, TRY(std::move(image))});
}

Result<void> copy_blob(const store::Store& from, const store::Store& into, const Digest& digest) {
  if (!from.has_blob(digest) || into.has_blob(digest)) return {};
  const UniqueFd fd = TRY(open_file(from.blob_path(digest), O_RDONLY));
  FdSource source(fd.get());
  return into.put_blob(source, digest);
}

}  // namespace

std::vector<ImageLayer> BaseImage::layers() const {
  std::vector<ImageLayer> layers;
  const std::size_t count = image.manifest.layers.size();
  for (std::size_t i = 0; i < count; ++i) {
    const oci::Descriptor& descriptor = image.manifest.layers[i];
    ImageLayer layer;
    layer.digest = descriptor.digest;
    layer.diff_id = image.config.diff_ids[i];
    layer.size_bytes = descriptor.size_bytes;
    layer.media_type = oci_media_type(descriptor);
    layer.packages = {fmt::format("{}{} of {}", kLabelStart, i + 1, count)};
    read_toc(descriptor.annotations, layer);
    layers.push_back(std::move(layer));
  }
  return layers;
}

std::vector<LayerFolder> BaseImage::folders(const store::Store& store) const {
  std::vector<LayerFolder> folders;
  const std::vector<Digest>& diff_ids = image.config.diff_ids;
  for (auto diff_id = diff_ids.rbegin(); diff_id != diff_ids.rend(); ++diff_id) {
    folders.push_back({*diff_id, store.layer_path(*diff_id)});
  }
  return folders;
}

bool is_base_layer(const ImageLayer& layer) {
  // No wheel or Debian package has such a name: a version follows theirs.
  return layer.packages.size() == 1 && layer.packages[0].starts_with(kLabelStart) &&
         layer.packages[0].find(" of ") != std::string::npos;
}

Result<BaseImage> fetch_base_image(const std::string& reference,
                                   const std::optional<Digest>& digest, const Tools& tools) {
  const auto parsed = TRY_WHILE("reading `base.image`", store::parse_image_reference(reference));
  const ImagePlace place = TRY(find_place(parsed.name, registry::Trust::Checked, tools));
  Incoming incoming =
      TRY(fetch_image(place, digest ? digest : parsed.digest, LargeBlobs::Kept, tools));
  return BaseImage{reference, std::move(incoming.images.front())};
}

Result<std::optional<BaseImage>> find_base_image(const store::Store& store,
                                                 const spec::Lock& lock) {
  if (!lock.base) return std::optional<BaseImage>();
  return find_base(store, *lock.base);
}

Result<BaseImage> bring_base_image(const store::Store& store, const spec::LockedBase& base,
                                   const Tools& tools) {
  if (auto found = TRY(find_base(store, base))) {
    if (TRY(has_all_layers(store, found->image))) return std::move(*found);
  }
  Result<BaseImage> fetched = fetch_base_image(base.image, base.digest, tools);
  if (fetched.ok() || fetched.error().kind == ErrorKind::Cancelled) return fetched;
  Error error = std::move(fetched).error();
  error.because.push_back(
      fmt::format("slipway.lock has the base `{}` as {}", base.image, base.digest.text()));
  if (error.kind == ErrorKind::NotFound) {
    error.hints.push_back(
        "`slipway lock --upgrade` takes the image that the tag names now; one that still has the "
        "old one can push it again");
  }
  return error;
}

Result<void> copy_base_image(const store::Store& from, const store::Store& into,
                             const spec::Lock& lock) {
  const auto base = TRY(find_base_image(from, lock));
  if (!base) return {};
  TRY(copy_blob(from, into, base->image.digest));
  TRY(copy_blob(from, into, base->image.manifest.config.digest));
  for (const oci::Descriptor& layer : base->image.manifest.layers) {
    TRY(copy_blob(from, into, layer.digest));
  }
  return {};
}

Result<oci::ImageConfig> configure_image(const store::Store& store, const spec::Project& project,
                                         const spec::Lock& lock) {
  if (!lock.base) return make_config(project, lock, nullptr);
  const auto base = TRY(find_base_image(store, lock));
  if (base) return make_config(project, lock, &base->image.config);
  return make_error(ErrorKind::NotFound, "the base `{}` is not in the store any more",
                    lock.base->image)
      .hint("`slipway build` fetches it again");
}

}  // namespace slipway::plan
