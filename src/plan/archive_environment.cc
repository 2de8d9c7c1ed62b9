#include "plan/archive_environment.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/threads.h"
#include "layer/tar_reader.h"
#include "oci/manifest.h"
#include "plan/archive_layer.h"
#include "store/store.h"

namespace slipway::plan {
namespace {

constexpr int kMostNesting = 4;  ///< indexes in indexes

/// A layer's tar: its digest is known beforehand in a layout, and worked out of a docker archive.
struct LayerBlob {
  std::string path;
  std::optional<Digest> digest;
};

Result<void> write_out(Source& contents, const std::string& path) {
  TRY(make_folders(parent_path(path)));
  const UniqueFd fd = TRY(open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  FdSink out(fd.get());
  TRY(copy(contents, out));
  return {};
}

/// The files of an archive, below `folder`. Links (docker's, for layers that come twice) are not
/// followed: what they stand for is there under its own name.
Result<void> unpack_archive(const std::string& file, const std::string& folder,
                            const Tools& tools) {
  return layer::read_tar_file(file, tools.cancel,
                              [&](const layer::TarItem& item, Source& contents) -> Result<void> {
                                if (item.kind != layer::TarItem::Kind::File || item.path.empty())
                                  return {};
                                return write_out(contents, join_path(folder, item.path));
                              });
}

std::string blob_path(const std::string& layout, const Digest& digest) {
  return fmt::format("{}/blobs/sha256/{}", layout, digest.hex());
}

Result<std::string> read_json_blob(const std::string& layout, const Digest& digest) {
  const std::string path = blob_path(layout, digest);
  if (TRY(file_size(path)) > oci::kMostManifestBytes)
    return make_error(ErrorKind::Corrupt, "`{}` is larger than a manifest", path);
  std::string text = TRY(read_file(path));
  if (sha256(text) != digest)
    return make_error(ErrorKind::Corrupt, "`{}` is not what its name says", path);
  return text;
}

/// The manifest for linux/amd64: the only one, or the only one that says so.
Result<oci::Manifest> find_manifest(const std::string& layout, std::string_view index_text,
                                    int nesting) {
  const oci::Index index = TRY(oci::parse_index(index_text));
  std::vector<const oci::Descriptor*> fitting;
  for (const oci::Descriptor& one : index.manifests) {
    const bool is_ours =
        !one.platform || (one.platform->os == "linux" && one.platform->architecture == "amd64");
    if (is_ours) fitting.push_back(&one);
  }
  if (fitting.size() != 1)
    return make_error(ErrorKind::Unsupported, "`{}` holds {} images for linux/amd64", layout,
                      fitting.size())
        .hint("put one image into it: `slipway save`, `skopeo copy`");
  const std::string text = TRY(read_json_blob(layout, fitting[0]->digest));
  const bool is_index = fitting[0]->media_type.find("index") != std::string::npos ||
                        fitting[0]->media_type.find("list") != std::string::npos;
  if (!is_index) return oci::parse_manifest(text);
  if (nesting == 0) return make_error(ErrorKind::Corrupt, "`{}` is nested too deeply", layout);
  return find_manifest(layout, text, nesting - 1);
}

Result<std::vector<LayerBlob>> layers_of_layout(const std::string& folder) {
  const std::string text = TRY(read_file(folder + "/index.json"));
  const oci::Manifest manifest = TRY(find_manifest(folder, text, kMostNesting));
  std::vector<LayerBlob> layers;
  for (const oci::Descriptor& layer : manifest.layers)
    layers.push_back({blob_path(folder, layer.digest), layer.digest});
  return layers;
}

/// docker's manifest.json: `[{"Config", "RepoTags", "Layers": ["x/layer.tar", …]}]`.
Result<std::vector<LayerBlob>> layers_of_docker(const std::string& folder) {
  const std::string text = TRY(read_file(folder + "/manifest.json"));
  const auto images = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!images.is_array() || images.size() != 1 || !images[0].is_object() ||
      !images[0].contains("Layers") || !images[0]["Layers"].is_array())
    return make_error(ErrorKind::Unsupported, "`{}/manifest.json` does not tell of one image",
                      folder);
  std::vector<LayerBlob> layers;
  for (const auto& layer : images[0]["Layers"]) {
    const std::string name = layer.is_string() ? layer.get<std::string>() : "";
    if (name.empty() || name.starts_with('/') || name.find("..") != std::string::npos)
      return make_error(ErrorKind::Corrupt, "`{}/manifest.json` names a layer outside", folder);
    layers.push_back({join_path(folder, name), std::nullopt});
  }
  return layers;
}

Result<gpu::LayerLibraries> read_blob_facts(const store::Store& store, const LayerBlob& blob,
                                            const std::string& scratch, const Tools& tools) {
  if (blob.digest) {
    if (const auto text = TRY(store.find_known("blob-libraries", *blob.digest))) {
      Result<gpu::LayerLibraries> known = gpu::parse_layer_libraries(*text);
      if (known.ok()) return known;
    }
  }
  const Digest digest = TRY(sha256_of_file(blob.path));
  if (blob.digest && digest != *blob.digest)
    return make_error(ErrorKind::Corrupt, "`{}` is not what its name says", blob.path);
  gpu::LayerLibraries facts = TRY(scan_layer_tar(blob.path, scratch, tools));
  TRY(store.put_known("blob-libraries", digest, gpu::write_layer_libraries(facts)));
  return facts;
}

}  // namespace

bool is_image_archive(const std::string& path) {
  if (is_folder(path))
    return path_exists(path + "/index.json") || path_exists(path + "/manifest.json");
  return path_exists(path);
}

Result<CheckedEnvironment> read_archive_environment(const std::string& path, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  const TemporaryFolder scratch = TRY(store.make_layer_folder());
  std::string folder = path;
  if (!is_folder(path)) {
    folder = scratch.path() + "/archive";
    TRY(make_folders(folder));
    TRY_WHILE(fmt::format("reading `{}`", path), unpack_archive(path, folder, tools));
  }
  const bool is_layout = path_exists(folder + "/index.json");
  if (!is_layout && !path_exists(folder + "/manifest.json"))
    return make_error(ErrorKind::Corrupt, "`{}` holds no image", path)
        .hint("an OCI layout has an index.json, an archive of `docker save` a manifest.json");
  const std::vector<LayerBlob> blobs =
      TRY(is_layout ? layers_of_layout(folder) : layers_of_docker(folder));
  CheckedEnvironment environment{path, {}, gpu::System::Inside, ""};
  environment.layers.resize(blobs.size());
  const auto read = [&](std::size_t i) -> Result<void> {
    environment.layers[i] = TRY(read_blob_facts(store, blobs[i], scratch.path(), tools));
    return {};
  };
  TRY(for_each_parallel(blobs.size(), usable_cores(), tools.cancel, read));
  return environment;
}

}  // namespace slipway::plan
