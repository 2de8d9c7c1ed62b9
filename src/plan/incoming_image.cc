#include "plan/incoming_image.h"

#include <fcntl.h>

#include <algorithm>
#include <atomic>

#include "base/file.h"
#include "base/size_text.h"
#include "base/threads.h"
#include "base/user_namespace.h"
#include "layer/unpack_layer.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kOwnersKind = "layer-owners";

Result<void> check_usable(const IncomingImage& image) {
  const oci::Platform& platform = image.config.platform;
  if (platform.os != "linux" || platform.architecture != "amd64") {
    return make_error(ErrorKind::Unsupported,
                      "`{}` is made for {}, and this machine is linux/amd64", image.shown(),
                      platform.text());
  }
  for (const oci::Descriptor& layer : image.manifest.layers) {
    if (oci::layer_compression(layer.media_type) == oci::LayerCompression::Unknown) {
      return make_error(ErrorKind::Unsupported, "`{}` is no image that runs: a layer of it is `{}`",
                        image.shown(), layer.media_type);
    }
  }
  return {};
}

void warn_of_left_out(const layer::LeftOut& left_out, const IncomingImage& image,
                      Reporter& reporter) {
  if (left_out.devices > 0) {
    reporter.warn(fmt::format("{} device nodes of `{}` are left out: a container gets its own",
                              left_out.devices, image.shown()));
  }
  if (left_out.attributes > 0) {
    reporter.warn(fmt::format("{} extended attributes of `{}` are left out", left_out.attributes,
                              image.shown()));
  }
}

std::string owners_text(const store::Store& store) {
  if (has_one_id()) return "all the caller's";
  return fmt::format("{} {}", store.owner().uid, store.owner().gid);
}

/// Which outer ids own a tree depends on the image's user (base/user_namespace.h): a tree made for
/// one user has exchanged owners for another.
Result<void> compare_owners(const store::Store& store, const Digest& diff_id,
                            const IncomingImage& image, Reporter& reporter) {
  if (!in_user_namespace()) return {};
  const auto known = TRY(store.find_known(kOwnersKind, diff_id));
  const std::string ours = owners_text(store);
  if (!known || *known == ours) return {};
  reporter.warn(
      fmt::format("`{}` shares a layer with an image of another user, or from when you had other "
                  "ids: some files in it seem to belong to others",
                  image.shown()));
  return {};
}

/// The blob of a layer: the store's, or what has arrived.
std::string path_of(const oci::Descriptor& layer, const IncomingImage& image,
                    const store::Store& store) {
  if (!image.arrivals || store.has_blob(layer.digest)) return store.blob_path(layer.digest);
  return join_path(image.arrivals->folder, layer.digest.hex());
}

Result<void> note_origin(const store::Store& store, const Digest& blob, const BlobOrigin& origin) {
  if (TRY(store.find_recipe(blob))) return {};
  return store.put_recipe(blob, write_recipe(origin));
}

bool is_of_bytes(const Error& error) {
  return error.kind == ErrorKind::Corrupt || error.kind == ErrorKind::Unsupported;
}

/// Layer `i`: its blob, or the tar in it.
Result<void> unpack(Source& source, const IncomingImage& image, std::size_t i,
                    const store::Store& store, const Tools& tools, layer::FindKept kept) {
  const Digest& diff_id = image.config.diff_ids[i];
  const oci::Descriptor& descriptor = image.manifest.layers[i];
  const auto task = tools.reporter.start("unpacking", descriptor.digest.hex().substr(0, 12), 0);
  TemporaryFolder folder = TRY(store.make_layer_folder());
  const auto marks = in_user_namespace() ? layer::OverlayMarks::User : layer::OverlayMarks::Trusted;
  const auto owners = has_one_id() ? layer::Owners::Caller : layer::Owners::AsSaid;
  Result<layer::Unpacked> unpacked =
      layer::unpack_layer(source, folder.path(), marks, owners, tools.cancel, std::move(kept));
  if (!unpacked.ok()) {
    Error error = std::move(unpacked).error();
    if (is_of_bytes(error)) {
      error.message = fmt::format("layer `{}` {}", descriptor.digest.text(), error.message);
    }
    return error;
  }
  if (unpacked->diff_id != diff_id) {
    return make_error(ErrorKind::Corrupt, "layer `{}` unpacks to `{}`, and the image names `{}`",
                      descriptor.digest.text(), unpacked->diff_id.text(), diff_id.text());
  }
  warn_of_left_out(unpacked->left_out, image, tools.reporter);
  TRY(store.put_known(kOwnersKind, diff_id, owners_text(store)));
  TRY(store.adopt_layer(std::move(folder), diff_id));
  tools.reporter.finish(task);
  return {};
}

Result<void> unpack_file(const std::string& path, const IncomingImage& image, std::size_t i,
                         const store::Store& store, const Tools& tools, layer::FindKept kept) {
  const UniqueFd blob = TRY(open_file(path, O_RDONLY));
  FdSource source(blob.get());
  return unpack(source, image, i, store, tools, std::move(kept));
}

std::vector<std::size_t> largest_first(const IncomingImage& image) {
  std::vector<std::size_t> order(image.manifest.layers.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return image.manifest.layers[a].size_bytes > image.manifest.layers[b].size_bytes;
  });
  return order;
}

}  // namespace

std::string arrivals_folder(const Tools& tools) { return join_path(tools.cache_folder, "blobs"); }

bool stays_as_blob(const oci::Descriptor& layer, const IncomingImage& image) {
  return !image.arrivals || layer.size_bytes <= kMostKeptBlob;
}

Result<IncomingImage> make_incoming(const store::Store& store, std::vector<store::ImageName> names,
                                    const Digest& manifest) {
  IncomingImage image{std::move(names), manifest, {}, {}, {}};
  const std::string text = TRY(store.read_blob(manifest, oci::kMostManifestBytes));
  image.manifest = TRY_WHILE(fmt::format("reading the manifest of `{}`", image.shown()),
                             oci::parse_manifest(text));
  const oci::Descriptor& config = image.manifest.config;
  if (config.media_type != oci::kMediaTypeConfig && config.media_type != oci::kDockerConfig) {
    return make_error(
        ErrorKind::Unsupported, "`{}` is no image but an artifact of type `{}`", image.shown(),
        image.manifest.artifact_type.empty() ? config.media_type : image.manifest.artifact_type);
  }
  const std::string config_text = TRY(store.read_blob(config.digest, oci::kMostConfigBytes));
  image.config = TRY_WHILE(fmt::format("reading the configuration of `{}`", image.shown()),
                           oci::parse_image_config(config_text));
  TRY(oci::check_same_layers(image.manifest, image.config));
  TRY(check_usable(image));
  return image;
}

Result<void> read_records_of_layer(const IncomingImage& image, std::size_t layer,
                                   const store::Store& store, const CancelToken& cancel,
                                   RecordFiles& files) {
  const Digest& blob = image.manifest.layers[layer].digest;
  // A layer that was built here has no blob until somebody wants it.
  const Digest& diff_id = image.config.diff_ids[layer];
  if (!store.has_blob(blob) && store.has_layer(diff_id)) {
    return files.read_unpacked(store.layer_path(diff_id));
  }
  return files.read_layer(path_of(image.manifest.layers[layer], image, store), cancel);
}

Result<ImageIds> find_incoming_ids(const IncomingImage& image, const Tools& tools) {
  if (const auto ids = find_numeric_ids(image.config.user)) return *ids;
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  RecordFiles files;
  for (std::size_t i = image.manifest.layers.size(); i-- > 0 && !files.is_complete();) {
    TRY(read_records_of_layer(image, i, store, tools.cancel, files));
  }
  return find_ids(image.config.user, files.passwd(), files.group(), image.shown());
}

Result<void> unpack_incoming_layer(const store::Store& store, const IncomingImage& image,
                                   std::size_t i, const Tools& tools,
                                   const UnpackedBefore& before) {
  const oci::Descriptor& layer = image.manifest.layers[i];
  const Digest& diff_id = image.config.diff_ids[i];
  const std::string path = path_of(layer, image, store);
  const bool is_arrival = path != store.blob_path(layer.digest);
  // Before the tree is there: who finds the tree relies on the recipe.
  if (is_arrival) TRY(note_origin(store, layer.digest, image.arrivals->origin));
  const auto unpack_it = [&] {
    return is_arrival && before.tar != nullptr
               ? unpack(*before.tar, image, i, store, tools, before.kept)
               : unpack_file(path, image, i, store, tools, before.kept);
  };
  const Result<void> unpacked = store.has_layer(diff_id)
                                    ? compare_owners(store, diff_id, image, tools.reporter)
                                    : unpack_it();
  // After a failure that is not of its bytes, the next attempt takes it up.
  const bool is_useless = unpacked.ok() || (is_of_bytes(unpacked.error()) && before.tar == nullptr);
  if (is_arrival && is_useless) TRY(remove_file(path));
  // Another process had it at the same time, and was first.
  const bool is_taken = is_arrival && !path_exists(path) && store.has_layer(diff_id);
  return is_taken ? Result<void>() : unpacked;
}

Result<void> unpack_layers(const IncomingImage& image, const store::Store& store,
                           const Tools& tools) {
  const std::vector<std::size_t> order = largest_first(image);
  const auto unpack = [&](std::size_t i, const CancelToken& cancel) {
    Tools with_cancel = tools;
    with_cancel.cancel = cancel;
    return unpack_incoming_layer(store, image, order[i], with_cancel);
  };
  return for_each_parallel(order.size(), usable_cores(), tools.cancel, unpack);
}

Result<void> unpack_incoming(const Incoming& incoming, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  if (has_one_id()) {
    tools.reporter.note(
        "you have no subordinate ids: every file of the image belongs to the user inside "
        "(`slipway doctor` says how to get some)");
  }
  for (const IncomingImage& image : incoming.images) {
    TRY_WHILE(fmt::format("unpacking `{}`", image.shown()), unpack_layers(image, store, tools));
    for (const store::ImageName& name : image.names) TRY(store.set_image(name, image.digest));
  }
  TRY(store.settle_layers());
  return {};
}

}  // namespace slipway::plan
