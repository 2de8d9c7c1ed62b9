#include "plan/stored_images.h"

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "base/nearest.h"
#include "layer/stargz_toc.h"
#include "plan/image_frame.h"
#include "plan/lazy_folder.h"

namespace slipway::plan {
namespace {

bool is_digest_of(std::string_view reference, const Digest& digest) {
  if (reference.starts_with("sha256:")) reference.remove_prefix(7);
  return reference.size() >= 12 && digest.hex().starts_with(reference);
}

/// As Podman reads a short name: the end of the name of an image from some registry.
std::vector<const store::StoredImage*> find_by_end(const store::ImageName& name,
                                                   const std::vector<store::StoredImage>& images) {
  std::vector<const store::StoredImage*> found;
  for (const store::StoredImage& image : images) {
    const bool is_same = image.name.name == name.name || image.name.name.ends_with("/" + name.name);
    if (name.registry.empty() && !image.name.registry.empty() && image.name.tag == name.tag &&
        is_same)
      found.push_back(&image);
  }
  return found;
}

Error unknown_image(const std::string& reference, const std::vector<store::StoredImage>& images) {
  // Without a tag, names are compared without theirs.
  const bool has_tag = base_name(reference).find(':') != std::string::npos;
  std::vector<std::string> names;
  for (const store::StoredImage& image : images) {
    const std::string text = image.name.text();
    names.push_back(has_tag ? text : text.substr(0, text.rfind(':')));
  }
  std::vector<std::string> meant;
  for (const std::string& near : find_nearest(reference, names)) {
    for (std::size_t i = 0; i < images.size(); ++i) {
      const std::string text = images[i].name.text();
      if (names[i] == near && std::ranges::find(meant, text) == meant.end()) meant.push_back(text);
    }
  }
  if (meant.size() > 3) meant.resize(3);
  Error error = make_error(ErrorKind::NotFound, "there is no image `{}` in the store", reference);
  error.hints.push_back(meant.empty() ? "`slipway images` lists what is there"
                                      : did_you_mean(meant));
  return error;
}

}  // namespace

std::optional<Digest> find_toc(const oci::Annotations& annotations) {
  const auto annotation = annotations.find(std::string(layer::kTocDigestAnnotation));
  if (annotation == annotations.end()) return std::nullopt;
  const auto digest = parse_digest(annotation->second);
  return digest.ok() ? std::optional(*digest) : std::nullopt;
}

std::vector<std::string> list_packages(const oci::Annotations& annotations) {
  std::vector<std::string> packages;
  const auto annotation = annotations.find(kPackagesAnnotation);
  if (annotation == annotations.end()) return packages;
  std::string_view text = annotation->second;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(", "), text.size());
    packages.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 2, text.size()));
  }
  return packages;
}

void read_toc(const oci::Annotations& annotations, ImageLayer& layer) {
  const auto toc = find_toc(annotations);
  const auto bytes = annotations.find(std::string(layer::kTarBytesAnnotation));
  if (!toc || bytes == annotations.end()) return;
  const char* const end = bytes->second.data() + bytes->second.size();
  if (std::from_chars(bytes->second.data(), end, layer.tar_bytes).ptr == end) {
    layer.toc = toc;
  }
}

void annotate_toc(oci::Annotations& annotations, const std::optional<Digest>& toc,
                  std::uint64_t tar_bytes) {
  if (!toc) return;
  annotations[std::string(layer::kTocDigestAnnotation)] = toc->text();
  annotations[std::string(layer::kTarBytesAnnotation)] = fmt::format("{}", tar_bytes);
}

std::uint64_t StoredImage::size_bytes() const {
  std::uint64_t bytes = 0;
  for (const oci::Descriptor& layer : manifest.layers) bytes += layer.size_bytes;
  return bytes;
}

std::vector<ImageLayer> StoredImage::layers() const {
  std::vector<ImageLayer> layers;
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const oci::Descriptor& descriptor = manifest.layers[i];
    ImageLayer layer;
    layer.digest = descriptor.digest;
    layer.diff_id = config.diff_ids[i];
    layer.size_bytes = descriptor.size_bytes;
    layer.media_type = descriptor.media_type;
    layer.packages = list_packages(descriptor.annotations);
    read_toc(descriptor.annotations, layer);
    layers.push_back(std::move(layer));
  }
  return layers;
}

Result<StoredImage> read_stored_image(const store::Store& store, const std::string& reference,
                                      const Digest& manifest) {
  StoredImage image{reference, manifest, {}, {}};
  const std::string text = TRY(store.read_blob(manifest));
  image.manifest =
      TRY_WHILE("reading the manifest of `" + reference + "`", oci::parse_manifest(text));
  const std::string config = TRY(store.read_blob(image.manifest.config.digest));
  image.config = TRY_WHILE("reading the configuration of `" + reference + "`",
                           oci::parse_image_config(config));
  TRY(oci::check_same_layers(image.manifest, image.config));
  return image;
}

Result<std::vector<StoredImage>> list_stored_images(const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  std::vector<StoredImage> images;
  for (const store::StoredImage& stored : TRY(store.list_images())) {
    Result<StoredImage> image = read_stored_image(store, stored.name.text(), stored.manifest);
    if (image.ok()) {
      images.push_back(std::move(image).value());
    } else {
      tools.reporter.warn(
          fmt::format("`{}` is broken: {}", stored.name.text(), image.error().message));
    }
  }
  return images;
}

Result<StoredImage> find_stored_image(const std::string& reference, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const std::vector<store::StoredImage> images = TRY(store.list_images());
  for (const store::StoredImage& image : images) {
    if (is_digest_of(reference, image.manifest)) {
      return read_stored_image(store, image.name.text(), image.manifest);
    }
  }
  const store::ImageName name = TRY(store::parse_image_name(reference));
  const auto manifest = TRY(store.find_image(name));
  if (manifest) return read_stored_image(store, name.text(), *manifest);
  const auto meant = find_by_end(name, images);
  if (meant.empty()) return unknown_image(reference, images);
  if (meant.size() > 1) {
    return make_error(ErrorKind::InvalidInput, "`{}` may be `{}` or `{}`", reference,
                      meant[0]->name.text(), meant[1]->name.text())
        .hint("write the whole name");
  }
  return read_stored_image(store, meant[0]->name.text(), meant[0]->manifest);
}

Result<void> check_unpacked(const StoredImage& image, const store::Store& store) {
  for (const Digest& diff_id : image.config.diff_ids) {
    if (store.has_layer(diff_id)) continue;
    if (LazyFolder(store, image.config.diff_ids).exists()) {
      return make_error(ErrorKind::NotFound, "`{}` comes lazily, and not all of it is there yet",
                        image.reference)
          .hint(fmt::format("`slipway pull {}` waits until it is", image.reference));
    }
    return make_error(ErrorKind::NotFound, "a layer of `{}` is not unpacked any more",
                      image.reference)
        .hint("`slipway build` makes it again");
  }
  return {};
}

}  // namespace slipway::plan
