#include "layer/image_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/digest.h"
#include "base/file.h"
#include "base/threads.h"
#include "layer/image_writer_tar.h"
#include "layer/layout.h"
#include "oci/image_config.h"

namespace slipway::layer {
namespace {

using WriteBody = std::function<Result<void>(Sink& out)>;

/// Where the parts of an image go: a folder or a tar.
class Target {
 public:
  virtual ~Target() = default;
  virtual Result<void> add_folder(const std::string& path) = 0;
  /// `write` gives exactly `size_bytes`.
  virtual Result<void> add_file(const std::string& path, std::uint64_t size_bytes,
                                const WriteBody& write) = 0;
  virtual Result<void> finish() = 0;
  /// How many files may be added at the same time.
  virtual std::size_t workers() const { return 1; }

  Result<void> add_text(const std::string& path, const std::string& text) {
    return add_file(path, text.size(), [&](Sink& out) { return out.write(as_bytes(text)); });
  }
};

class TarTarget final : public Target {
 public:
  explicit TarTarget(Sink& out) : out_(out), tar_(out) {}
  Result<void> add_folder(const std::string& path) override { return tar_.add_folder(path); }
  Result<void> add_file(const std::string& path, std::uint64_t size_bytes,
                        const WriteBody& write) override {
    TRY(tar_.begin_file(path, size_bytes));
    TRY(write(out_));
    return tar_.end_file();
  }
  Result<void> finish() override { return tar_.finish(); }

 private:
  Sink& out_;
  ArchiveTar tar_;
};

/// What is written gets this time once it is whole and checked; whoever changes it gives it
/// another.
constexpr timespec kTimes[2] = {{kLayerTime, 0}, {kLayerTime, 0}};

/// Whatever cannot be read, and links, count as "no": the blob is then written.
bool is_blob(const std::string& file, std::uint64_t size_bytes) {
  struct stat status {};
  const bool may_be = ::lstat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
                      static_cast<std::uint64_t>(status.st_size) == size_bytes;
  if (!may_be) return false;
  if (status.st_mtim.tv_sec == kLayerTime && status.st_mtim.tv_nsec == 0) return true;
  const auto digest = sha256_of_file(file);
  return digest.ok() && digest->hex() == base_name(file);
}

class FolderTarget final : public Target {
 public:
  /// Blobs that the layout `old` has already become links to its files.
  FolderTarget(std::string top, std::string old) : top_(std::move(top)), old_(std::move(old)) {}
  Result<void> add_folder(const std::string& path) override {
    return make_folders(join_path(top_, path));
  }
  Result<void> add_file(const std::string& path, std::uint64_t size_bytes,
                        const WriteBody& write) override {
    const std::string there = join_path(old_, path);
    const bool is_there = path.starts_with("blobs/") && is_blob(there, size_bytes);
    if (is_there && ::link(there.c_str(), join_path(top_, path).c_str()) == 0) return {};
    const UniqueFd fd = TRY(open_file(join_path(top_, path), O_WRONLY | O_CREAT | O_EXCL));
    FdSink out(fd.get());
    TRY(write(out));
    if (::futimens(fd.get(), kTimes) == 0) return {};
    return errno_error(fmt::format("cannot set the time of `{}`", join_path(top_, path)));
  }
  Result<void> finish() override { return {}; }
  std::size_t workers() const override { return usable_cores(); }

 private:
  std::string top_, old_;
};

/// Lets through what a descriptor promises, and not a byte more.
class CheckedSink final : public Sink {
 public:
  CheckedSink(const oci::Descriptor& expected, Sink& out, const CancelToken& cancel)
      : expected_(expected), hash_(&out), cancel_(cancel) {}

  Result<void> write(Bytes bytes) override {
    TRY(cancel_.check());
    if (bytes.size() > expected_.size_bytes - hash_.size_bytes()) {
      return problem(fmt::format("has more than its {} bytes", expected_.size_bytes));
    }
    return hash_.write(bytes);
  }
  Result<void> finish() {
    if (hash_.size_bytes() != expected_.size_bytes) {
      return problem(
          fmt::format("has {} bytes in place of {}", hash_.size_bytes(), expected_.size_bytes));
    }
    const Digest digest = hash_.finish();
    if (digest != expected_.digest) return problem(fmt::format("hashes to {}", digest.text()));
    return {};
  }

 private:
  Error problem(std::string_view what) const {
    return make_error(ErrorKind::Corrupt, "blob `{}` {}", expected_.digest.text(), what);
  }
  const oci::Descriptor& expected_;
  HashingSink hash_;
  const CancelToken& cancel_;
};

/// One image on its way to one target.
class ImageWriter {
 public:
  ImageWriter(const ImageBytes& image, oci::Manifest manifest, Target& target,
              const WriteLayerBlob& write_layer, const CancelToken& cancel)
      : image_(image),
        manifest_(std::move(manifest)),
        target_(target),
        write_layer_(write_layer),
        cancel_(cancel) {}

  Result<void> write(ImageFormat format);

 private:
  Result<void> write_blobs(bool with_manifest);
  Result<void> write_layer(const oci::Descriptor& layer, const CancelToken& cancel);
  std::string docker_manifest() const;
  std::string index() const;

  const ImageBytes& image_;
  const oci::Manifest manifest_;
  Target& target_;
  const WriteLayerBlob& write_layer_;
  const CancelToken& cancel_;
};

std::string blob_path(const Digest& digest) { return "blobs/sha256/" + digest.hex(); }

Result<void> ImageWriter::write(ImageFormat format) {
  const bool is_oci = format != ImageFormat::DockerArchive;
  // The small files first: a reader of a stream then knows what is coming.
  if (is_oci) {
    TRY(target_.add_text("oci-layout", oci::layout_text()));
    TRY(target_.add_text("index.json", index()));
  }
  if (format != ImageFormat::OciFolder) {
    TRY(target_.add_text("manifest.json", docker_manifest()));
  }
  TRY(target_.add_folder("blobs"));
  TRY(target_.add_folder("blobs/sha256"));
  TRY(write_blobs(is_oci));
  return target_.finish();
}

Result<void> ImageWriter::write_blobs(bool with_manifest) {
  if (with_manifest) TRY(target_.add_text(blob_path(sha256(image_.manifest)), image_.manifest));
  TRY(target_.add_text(blob_path(manifest_.config.digest), image_.config));
  std::set<Digest> written{manifest_.config.digest};
  std::vector<const oci::Descriptor*> layers;
  std::vector<std::uint64_t> sizes;
  for (const oci::Descriptor& layer : manifest_.layers) {
    if (!written.insert(layer.digest).second) continue;  // twice in the image, once in the file
    layers.push_back(&layer);
    sizes.push_back(layer.size_bytes);
  }
  const bool is_one_by_one = target_.workers() == 1;  // then in the image's own order
  const std::vector<std::size_t> order = largest_first(sizes);
  const auto write = [&](std::size_t i, const CancelToken& cancel) -> Result<void> {
    const oci::Descriptor& layer = *layers[is_one_by_one ? i : order[i]];
    TRY_WHILE(fmt::format("writing layer `{}`", layer.digest.text()), write_layer(layer, cancel));
    return {};
  };
  return for_each_parallel(layers.size(), target_.workers(), cancel_, write);
}

Result<void> ImageWriter::write_layer(const oci::Descriptor& layer, const CancelToken& cancel) {
  return target_.add_file(blob_path(layer.digest), layer.size_bytes,
                          [&](Sink& out) -> Result<void> {
                            CheckedSink checked(layer, out, cancel);
                            TRY(write_layer_(layer, checked));
                            return checked.finish();
                          });
}

/// What `docker load` reads (its image-spec v1.2). Names of hosts, images and blobs need no escape.
std::string ImageWriter::docker_manifest() const {
  std::vector<std::string> layers;
  for (const oci::Descriptor& layer : manifest_.layers) {
    layers.push_back(fmt::format("\"{}\"", blob_path(layer.digest)));
  }
  return fmt::format(R"([{{"Config":"{}","RepoTags":["{}"],"Layers":[{}]}}])",
                     blob_path(manifest_.config.digest), image_.name.text(),
                     fmt::join(layers, ","));
}

std::string ImageWriter::index() const {
  oci::Descriptor manifest = oci::describe(manifest_.media_type, image_.manifest);
  // annotations.md; skopeo and umoci find the image by it, as `oci:FOLDER:tag`.
  manifest.annotations["org.opencontainers.image.ref.name"] = image_.name.tag;
  // containerd's importer takes the whole name from here.
  manifest.annotations["io.containerd.image.name"] = image_.name.text();
  oci::Index index;
  index.manifests.push_back(std::move(manifest));
  return oci::encode_index(index);
}

Result<oci::Manifest> check_image(const ImageBytes& image) {
  oci::Manifest manifest = TRY(oci::parse_manifest(image.manifest));
  if (manifest.config.digest != sha256(image.config) ||
      manifest.config.size_bytes != image.config.size()) {
    return make_error(ErrorKind::Corrupt, "the config of `{}` is not the one its manifest names",
                      image.name.text());
  }
  const oci::ImageConfig config = TRY(oci::parse_image_config(image.config));
  TRY(oci::check_same_layers(manifest, config));
  return manifest;
}

Result<void> write_to(const ImageBytes& image, ImageFormat format, Target& target,
                      const WriteLayerBlob& write_layer, const CancelToken& cancel) {
  oci::Manifest manifest = TRY(check_image(image));
  return ImageWriter(image, std::move(manifest), target, write_layer, cancel).write(format);
}

}  // namespace

Result<void> write_image(const ImageBytes& image, ImageFormat format, Sink& out,
                         const WriteLayerBlob& write_layer, const CancelToken& cancel) {
  SLIPWAY_CHECK(format != ImageFormat::OciFolder);
  TarTarget target(out);
  return write_to(image, format, target, write_layer, cancel);
}

namespace {

Result<void> save_archive(const ImageBytes& image, ImageFormat format, const std::string& path,
                          const WriteLayerBlob& write_layer, const CancelToken& cancel) {
  const TemporaryFolder work = TRY(TemporaryFolder::create(parent_path(path), ".slipway-save"));
  const std::string partial = join_path(work.path(), "image");
  const UniqueFd fd = TRY(open_file(partial, O_WRONLY | O_CREAT | O_EXCL));
  FdSink out(fd.get());
  TRY(write_image(image, format, out, write_layer, cancel));
  if (::fsync(fd.get()) != 0) return errno_error(fmt::format("cannot sync `{}`", path));
  return rename_path(partial, path);
}

/// Nothing, an empty folder or an OCI layout may be replaced; a folder of other things may not.
Result<void> check_replaceable(const std::string& path) {
  if (!path_exists(path)) return {};
  if (is_folder(path)) {
    const std::vector<std::string> names = TRY(list_folder(path));
    if (names.empty() || path_exists(join_path(path, "oci-layout"))) return {};
  }
  return make_error(ErrorKind::InvalidInput, "`{}` is in the way: it is not an OCI layout", path)
      .hint("name a folder that is not there yet");
}

Result<void> save_folder(const ImageBytes& image, const std::string& path,
                         const WriteLayerBlob& write_layer, const CancelToken& cancel) {
  TRY(check_replaceable(path));
  const TemporaryFolder work = TRY(TemporaryFolder::create(parent_path(path), ".slipway-save"));
  const std::string partial = join_path(work.path(), "new");
  TRY(make_folders(partial));
  FolderTarget target(partial, path);
  TRY(write_to(image, ImageFormat::OciFolder, target, write_layer, cancel));
  if (path_exists(path)) TRY(rename_path(path, join_path(work.path(), "old")));
  return rename_path(partial, path);
}

}  // namespace

Result<void> save_image(const ImageBytes& image, ImageFormat format, const std::string& path,
                        const WriteLayerBlob& write_layer, const CancelToken& cancel) {
  const std::string target = TRY(absolute_path(path));
  const std::string step = fmt::format("saving `{}` to `{}`", image.name.text(), path);
  if (format == ImageFormat::OciFolder) {
    TRY_WHILE(step, save_folder(image, target, write_layer, cancel));
  } else {
    TRY_WHILE(step, save_archive(image, format, target, write_layer, cancel));
  }
  return {};
}

}  // namespace slipway::layer
