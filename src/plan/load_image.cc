#include "plan/load_image.h"

#include <fcntl.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "layer/tar_header_parser.h"
#include "plan/image_archive.h"

namespace slipway::plan {
namespace {

constexpr int kMostNesting = 4;  ///< indexes in indexes
constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";
constexpr std::string_view kContainerdName = "io.containerd.image.name";

/// One image of the archive: its manifest is a blob, and these are names that it may have.
struct Found {
  Digest manifest;
  std::vector<std::string> names;
};

/// Of docker's manifest.json: `[{"Config", "RepoTags", "Layers": ["x/layer.tar", …]}]`.
struct DockerEntry {
  std::string config;
  std::vector<std::string> tags, layers;
};

std::string blob_path(const Digest& digest) { return "blobs/sha256/" + digest.hex(); }

class ArchiveReader {
 public:
  ArchiveReader(ImageArchive& archive, const store::Store& store, std::string shown)
      : archive_(archive), store_(store), shown_(std::move(shown)) {}

  Result<std::vector<Found>> read() {
    TRY(read_docker());
    if (const auto index = TRY(archive_.find_text("index.json"))) {
      TRY(add_index(*index, {}, kMostNesting));
    } else {
      for (const DockerEntry& entry : docker_) TRY(add_docker(entry));
    }
    if (found_.empty()) {
      return make_error(ErrorKind::Unsupported, "`{}` holds no image for linux/amd64", shown_)
          .hint("it takes an OCI layout, or what `docker save` and `podman save` write");
    }
    return std::move(found_);
  }

 private:
  Error corrupt(std::string_view why) const {
    return make_error(ErrorKind::Corrupt, "`{}` {}", shown_, why);
  }

  Result<void> read_docker() {
    const auto text = TRY(archive_.find_text("manifest.json"));
    if (!text) return {};
    const auto images = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
    if (!images.is_array()) return corrupt("has a manifest.json that cannot be read");
    for (const auto& image : images) {
      DockerEntry entry;
      if (!image.is_object() || !image.contains("Config") || !image["Config"].is_string() ||
          !image.contains("Layers")) {
        return corrupt("has a manifest.json that cannot be read");
      }
      entry.config = TRY(inner_path(image["Config"].get<std::string>()));
      TRY(read_texts(image["Layers"], entry.layers));
      for (std::string& layer : entry.layers) layer = TRY(inner_path(layer));
      if (image.contains("RepoTags")) TRY(read_texts(image["RepoTags"], entry.tags));
      docker_.push_back(std::move(entry));
    }
    return {};
  }

  Result<void> read_texts(const nlohmann::json& list, std::vector<std::string>& into) const {
    if (list.is_null()) return {};
    if (!list.is_array()) return corrupt("has a manifest.json that cannot be read");
    for (const auto& one : list) {
      if (!one.is_string()) return corrupt("has a manifest.json that cannot be read");
      into.push_back(one.get<std::string>());
    }
    return {};
  }

  Result<std::string> inner_path(std::string_view text) const {
    const auto path = layer::clean_tar_path(text);
    if (!path || path->empty()) return corrupt(fmt::format("names `{}`, which is outside", text));
    return *path;
  }

  /// A manifest or an index: there, of the size and digest that its descriptor says.
  Result<std::string> take_text(const oci::Descriptor& descriptor) {
    const std::string path = blob_path(descriptor.digest);
    auto text = TRY(archive_.find_text(path));
    if (!text) return corrupt(fmt::format("lacks `{}`", path));
    if (text->size() != descriptor.size_bytes || sha256(*text) != descriptor.digest) {
      return corrupt(fmt::format("has a `{}` that is not what it should be", path));
    }
    return std::move(*text);
  }

  Result<void> add_index(const std::string& text, const std::vector<std::string>& names,
                         int nesting) {
    const oci::Index index = TRY(oci::parse_index(text));
    for (const oci::Descriptor& one : index.manifests) {
      const bool is_ours =
          !one.platform || (one.platform->os == "linux" && one.platform->architecture == "amd64");
      if (!is_ours || !one.artifact_type.empty()) continue;
      std::vector<std::string> all = names;
      for (const std::string_view key : {kContainerdName, kRefName}) {
        const auto name = one.annotations.find(std::string(key));
        if (name != one.annotations.end()) all.push_back(name->second);
      }
      const std::string inner = TRY(take_text(one));
      if (oci::is_index(one.media_type)) {
        if (nesting == 0) return corrupt("is nested too deeply");
        TRY(add_index(inner, all, nesting - 1));
      } else {
        TRY(add_manifest(inner, all));
      }
    }
    return {};
  }

  Result<void> add_manifest(const std::string& text, std::vector<std::string> names) {
    const oci::Manifest manifest = TRY(oci::parse_manifest(text));
    const Digest digest = TRY(store_.put_blob_bytes(as_bytes(text)));
    const std::string config_path = blob_path(manifest.config.digest);
    TRY(take(manifest.config));
    for (const oci::Descriptor& layer : manifest.layers) TRY(take(layer));
    // Docker's own names are what people call it; index.json spells out the registry.
    for (const DockerEntry& entry : docker_) {
      if (entry.config == config_path && !entry.tags.empty()) names = entry.tags;
    }
    for (Found& known : found_) {
      if (known.manifest != digest) continue;
      known.names.insert(known.names.end(), names.begin(), names.end());
      return {};
    }
    found_.push_back({digest, std::move(names)});
    return {};
  }

  Result<void> take(const oci::Descriptor& descriptor) {
    if (!taken_.insert(descriptor.digest).second) return {};
    const std::string path = blob_path(descriptor.digest);
    Result<oci::Descriptor> blob = archive_.take_blob(path);
    if (!blob.ok() && blob.error().kind == ErrorKind::NotFound) {
      return corrupt(fmt::format("lacks `{}`", path));
    }
    if (TRY(std::move(blob)).size_bytes != descriptor.size_bytes) {
      return corrupt(fmt::format("has a `{}` of another size than its manifest says", path));
    }
    return {};
  }

  /// The manifest that the archive does not have: of the files as they are.
  Result<void> add_docker(const DockerEntry& entry) {
    oci::Manifest manifest;
    manifest.config = TRY(archive_.take_blob(entry.config));
    manifest.config.media_type = oci::kMediaTypeConfig;
    for (const std::string& path : entry.layers) {
      oci::Descriptor layer = TRY(archive_.take_blob(path));
      layer.media_type = TRY(media_type_of(layer));
      manifest.layers.push_back(std::move(layer));
    }
    const std::string text = oci::encode_manifest(manifest);
    found_.push_back({TRY(store_.put_blob_bytes(as_bytes(text))), entry.tags});
    return {};
  }

  Result<std::string> media_type_of(const oci::Descriptor& blob) const {
    std::string begin = TRY(read_beginning(store_.blob_path(blob.digest), 4));
    if (begin.starts_with("\x1f\x8b")) return std::string(oci::kMediaTypeLayerGzip);
    if (begin.starts_with("\x28\xb5\x2f\xfd")) return std::string(oci::kMediaTypeLayerZstd);
    return std::string(oci::kMediaTypeLayer);
  }

  static Result<std::string> read_beginning(const std::string& path, std::size_t count) {
    const UniqueFd fd = TRY(open_file(path, O_RDONLY));
    FdSource source(fd.get());
    std::string text(count, '\0');
    text.resize(TRY(source.read(std::as_writable_bytes(std::span(text)))));
    return text;
  }

  ImageArchive& archive_;
  const store::Store& store_;
  const std::string shown_;
  std::vector<DockerEntry> docker_;
  std::vector<Found> found_;
  std::set<Digest> taken_;
};

/// `dir/Image-1.tar.gz` -> `image-1`; `loaded` where no name can be made of it.
std::string name_of_file(const std::string& path) {
  const Result<std::string> whole = absolute_path(path);
  std::string name = path == "-" || !whole.ok() ? "" : base_name(*whole);
  name.resize(std::min(name.find(".tar"), name.size()));
  for (const std::string_view ending : {".tgz", ".oci"}) {
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto parsed = store::parse_image_name(name);
  return parsed.ok() && parsed->name == name ? name : "loaded";
}

/// What the archive calls an image. A word without `/` and `:` is a tag (`oci:FOLDER:tag`), which
/// counts where there is nothing better.
std::vector<store::ImageName> names_of(const Found& found, const std::string& path) {
  std::vector<store::ImageName> names, tags;
  for (const std::string& text : found.names) {
    const bool is_tag = text.find_first_of("/:") == std::string::npos;
    auto name = store::parse_image_name(is_tag ? name_of_file(path) + ":" + text : text);
    if (!name.ok()) continue;
    if (name->registry == "localhost") name->registry.clear();  // podman's word for none
    (is_tag ? tags : names).push_back(std::move(*name));
  }
  if (names.empty()) names = tags;
  if (names.empty()) names.push_back({"", name_of_file(path), "latest"});
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

/// Two images of one name: the archive's order decides for nobody, so none of them gets it.
Result<void> check_names(const std::vector<IncomingImage>& images, const std::string& shown) {
  std::set<store::ImageName> seen;
  for (const IncomingImage& image : images) {
    for (const store::ImageName& name : image.names) {
      if (seen.insert(name).second) continue;
      return make_error(ErrorKind::InvalidInput, "`{}` holds several images called `{}`", shown,
                        name.text())
          .hint("put one image into an archive");
    }
  }
  return {};
}

}  // namespace

Result<Incoming> read_archive(const std::string& path, const std::optional<store::ImageName>& name,
                              const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  Incoming incoming{TRY(store.lease(tools.reporter, tools.cancel)), {}, 0, 0, 0};
  const std::string shown = path == "-" ? "standard input" : path;
  const auto task = tools.reporter.start("reading", shown, 0);
  const auto archive = TRY(open_image_archive(path, store, tools));
  const std::vector<Found> found = TRY(ArchiveReader(*archive, store, shown).read());
  if (name && found.size() != 1) {
    return make_error(ErrorKind::InvalidInput, "`{}` holds {} images, and one name is given", shown,
                      found.size());
  }
  for (const Found& one : found) {
    const auto names = name ? std::vector{*name} : names_of(one, path);
    incoming.images.push_back(TRY(make_incoming(store, names, one.manifest)));
  }
  TRY(check_names(incoming.images, shown));
  tools.reporter.finish(task);
  return incoming;
}

}  // namespace slipway::plan
