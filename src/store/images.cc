#include <unistd.h>

#include <algorithm>

#include "base/nearest.h"
#include "store/files.h"
#include "store/ref_path.h"
#include "store/store.h"

namespace slipway::store {
namespace {

Result<Digest> read_ref(const std::string& path) {
  std::string text = TRY(read_file(path));
  if (text.ends_with('\n')) text.pop_back();
  Result<Digest> digest = parse_digest(text);
  if (digest.ok()) return digest;
  return make_error(ErrorKind::Corrupt, "`{}` does not hold a digest", path)
      .hint("remove the file, then build or pull the image again");
}

/// `shown` is the name so far, as in `host:5000/team`.
Result<void> collect(const std::string& folder, const std::string& shown,
                     std::vector<StoredImage>& images) {
  const auto names = list_folder(folder);
  if (!names.ok()) {
    if (names.error().kind == ErrorKind::NotFound) return {};  // removed meanwhile
    return names.error();
  }
  for (const std::string& entry : *names) {
    const std::string path = join_path(folder, entry);
    if (!entry.starts_with(':')) {
      if (is_folder(path)) TRY(collect(path, shown.empty() ? entry : shown + "/" + entry, images));
      continue;
    }
    Result<ImageName> name = parse_image_name(shown + entry);
    if (!name.ok()) continue;
    Result<Digest> manifest = read_ref(path);
    if (!manifest.ok() && manifest.error().kind == ErrorKind::NotFound) continue;
    images.push_back({std::move(name).value(), TRY(std::move(manifest))});
  }
  return {};
}

}  // namespace

Result<std::string> ref_path(const ImageName& name) {
  const ImageName parsed = TRY(parse_image_name(name.text()));
  if (parsed != name) {
    return make_error(ErrorKind::InvalidInput, "`{}` is not an image name", name.text());
  }
  return fmt::format("refs/images/{}{}{}/:{}", name.registry, name.registry.empty() ? "" : "/",
                     name.name, name.tag);
}

Result<void> Store::set_image(const ImageName& name, const Digest& manifest) const {
  const std::string path = inside(TRY(ref_path(name)));
  // Else `remove_image` may take away the empty folder that we are about to write to.
  const FileLock lock = TRY(FileLock::lock(inside("locks/images")));
  return place_text(inside("tmp"), path, manifest.text() + "\n", owner_, Durable::Yes);
}

Result<std::optional<Digest>> Store::find_image(const ImageName& name) const {
  Result<Digest> manifest = read_ref(inside(TRY(ref_path(name))));
  if (manifest.ok()) return std::optional<Digest>(*manifest);
  if (manifest.error().kind == ErrorKind::NotFound) return std::optional<Digest>();
  return std::move(manifest).error();
}

Result<std::vector<StoredImage>> Store::list_images() const {
  std::vector<StoredImage> images;
  TRY(collect(inside("refs/images"), "", images));
  std::sort(images.begin(), images.end(),
            [](const StoredImage& a, const StoredImage& b) { return a.name < b.name; });
  return images;
}

Result<void> Store::remove_image(const ImageName& name) const {
  std::string path = inside(TRY(ref_path(name)));
  const FileLock lock = TRY(FileLock::lock(inside("locks/images")));
  if (!path_exists(path)) {
    Error error = make_error(ErrorKind::NotFound, "no image `{}` in the store", name.text());
    std::vector<std::string> names;
    for (const StoredImage& image : TRY(list_images())) names.push_back(image.name.text());
    const auto nearest = find_nearest(name.text(), names);
    if (!nearest.empty()) error.hints.push_back(did_you_mean(nearest));
    return error;
  }
  TRY(remove_file(path));
  const std::string top = inside("refs/images");
  for (path = parent_path(path); path != top && ::rmdir(path.c_str()) == 0;) {
    path = parent_path(path);
  }
  return {};
}

}  // namespace slipway::store
