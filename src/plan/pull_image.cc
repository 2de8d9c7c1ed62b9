#include "plan/pull_image.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <semaphore>
#include <set>

#include "base/file.h"
#include "base/threads.h"
#include "plan/blob_places.h"
#include "plan/lazy_tree.h"
#include "plan/pieced_layer.h"
#include "plan/signatures.h"

namespace slipway::plan {
namespace {

constexpr int kMostNesting = 4;  ///< indexes in indexes
constexpr int kAttempts = 3;

/// Of an index, the one for this platform.
Result<registry::FetchedManifest> find_manifest(const ImagePlace& place,
                                                const std::string& reference, int nesting,
                                                registry::Registry& registry, const Tools& tools) {
  registry::FetchedManifest found =
      TRY(registry.fetch_manifest(place.repository, reference, tools.cancel));
  if (!oci::is_index(found.media_type)) return found;
  const oci::Index index = TRY_WHILE("reading its index", oci::parse_index(found.text));
  const auto is_ours = [](const oci::Descriptor& one) {
    return one.platform && one.platform->os == "linux" && one.platform->architecture == "amd64";
  };
  const auto ours = std::ranges::find_if(index.manifests, is_ours);
  if (ours != index.manifests.end() && nesting > 0) {
    return find_manifest(place, ours->digest.text(), nesting - 1, registry, tools);
  }
  Error error =
      make_error(ErrorKind::Unsupported, "`{}` has no image for linux/amd64", place.name.text());
  for (const oci::Descriptor& one : index.manifests) {
    if (one.platform) error.because.push_back("it has one for " + one.platform->text());
  }
  return error;
}

/// The blob of an unpacked layer is not needed where it can be spliced, or may stay at its
/// registry.
Result<bool> is_missing(const store::Store& store, const IncomingImage& image, std::size_t i) {
  const Digest& digest = image.manifest.layers[i].digest;
  if (store.has_blob(digest)) return false;
  const auto text = TRY(store.find_recipe(digest));
  if (!text || !store.has_layer(image.config.diff_ids[i])) return true;
  const auto recipe = parse_recipe(*text);
  return recipe.ok() && recipe->origin && !image.arrivals;
}

/// Into `path`. Returns how many bytes came.
Result<std::uint64_t> fetch_layer(const ImagePlace& place, const oci::Descriptor& layer,
                                  const KindredLayers& kindred, const store::Store& store,
                                  registry::Registry& registry, const std::string& path,
                                  const Tools& tools, const CancelToken& cancel) {
  if (const auto kin = kindred.kin_of(layer)) {
    const auto bytes = TRY(fetch_in_pieces(registry, place.repository, layer, *kin, store, path,
                                           tools.reporter, cancel));
    if (bytes) return *bytes;
  }
  TRY(registry.fetch_blob(place.repository, layer, path, layer.digest.hex().substr(0, 12),
                          tools.reporter, cancel));
  return layer.size_bytes;
}

}  // namespace

Result<IncomingImage> fetch_image_head(const ImagePlace& place, const std::optional<Digest>& digest,
                                       const store::Store& store, registry::Registry& registry,
                                       const Tools& tools) {
  store::ImageName name = place.name;
  if (digest) name.tag = "sha256-" + digest->hex();
  const registry::FetchedManifest found =
      TRY(find_manifest(place, digest ? digest->text() : name.tag, kMostNesting, registry, tools));
  const oci::Manifest manifest = TRY_WHILE("reading its manifest", oci::parse_manifest(found.text));
  TRY(store.put_blob_bytes(as_bytes(found.text)));
  if (!store.has_blob(manifest.config.digest)) {
    const std::string config = TRY(registry.fetch_small(place.repository, manifest.config,
                                                        oci::kMostConfigBytes, tools.cancel));
    TRY(store.put_blob_bytes(as_bytes(config)));
  }
  return make_incoming(store, {name}, found.digest);
}

Result<FetchedLayers> fetch_image_layers(const ImagePlace& place, const IncomingImage& image,
                                         const store::Store& store, registry::Registry& registry,
                                         const Tools& tools, const LayerSteps& steps) {
  const std::vector<oci::Descriptor>& layers = image.manifest.layers;
  std::vector<std::size_t> wanted;
  std::set<Digest> seen;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (steps.is_wanted(i) && TRY(is_missing(store, image, i)) &&
        seen.insert(layers[i].digest).second) {
      wanted.push_back(i);
    }
  }
  std::ranges::stable_sort(wanted, std::greater(),
                           [&](std::size_t i) { return layers[i].size_bytes; });
  const std::string folder = arrivals_folder(tools);
  TRY(make_folders(folder));
  const KindredLayers kindred =
      wanted.empty() ? KindredLayers() : TRY(KindredLayers::find(store, tools));
  std::atomic<std::uint64_t> fetched_bytes = 0;
  std::counting_semaphore downloads(kParallelDownloads);
  const auto fetch_in_turn = [&](const oci::Descriptor& layer, const std::string& path,
                                 const CancelToken& cancel) {
    downloads.acquire();
    auto bytes = fetch_layer(place, layer, kindred, store, registry, path, tools, cancel);
    downloads.release();
    return bytes;
  };
  const auto fetch = [&](std::size_t turn, const CancelToken& cancel) -> Result<void> {
    const std::size_t i = wanted[turn];
    const oci::Descriptor& layer = layers[i];
    const std::string path = join_path(folder, layer.digest.hex());
    const bool stays = stays_as_blob(layer, image);
    Tools with_cancel = tools;
    with_cancel.cancel = cancel;
    Result<void> taken;
    for (int attempt = 0; attempt < kAttempts && TRY(is_missing(store, image, i)); ++attempt) {
      fetched_bytes += TRY(fetch_in_turn(layer, path, cancel));
      taken = stays ? store.adopt_blob(path, layer.digest) : Result<void>();
      if (taken.ok()) taken = steps.on_fetched(i, with_cancel);
      // Another process that pulls it may have taken what has arrived, and be about to keep it, or
      // have failed since.
      if (taken.ok() || taken.error().kind != ErrorKind::NotFound) break;
    }
    return taken;
  };
  // Unpacking takes longer than the network does, and all cores may.
  const std::size_t workers = std::max(kParallelDownloads, usable_cores());
  TRY(for_each_parallel(wanted.size(), workers, tools.cancel, fetch));
  for (const oci::Descriptor& layer : layers) {
    TRY(note_blob_place(store, layer.digest, place.host.name, place.repository));
  }
  return FetchedLayers{wanted.size(), fetched_bytes};
}

/// They are checked by `slipway verify`, not here; an image without them is one too.
Result<std::size_t> fetch_its_signatures(const ImagePlace& place, const Digest& image,
                                         const store::Store& store, registry::Registry& registry,
                                         const Tools& tools) {
  const auto found = fetch_signatures(registry, place.repository, image, tools.cancel);
  if (!found.ok() && found.error().kind == ErrorKind::Cancelled) return found.error();
  if (!found.ok()) {
    tools.reporter.warn("the image's signatures cannot be had: " + found.error().message);
    return std::size_t{0};
  }
  for (const sign::SignatureImage& one : found->images) TRY(store_signature(store, image, one));
  for (const std::string& trouble : found->troubles) {
    tools.reporter.warn("a signature cannot be had: " + trouble);
  }
  return found->images.size();
}

Result<Incoming> fetch_image(const ImagePlace& place, const std::optional<Digest>& digest,
                             LargeBlobs large, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  Incoming incoming{TRY(store.lease(tools.reporter, tools.cancel)), {}, 0, 0, 0};
  registry::Registry registry = TRY(registry::Registry::open(place.host, {}, tools.cancel));
  const auto pull = [&]() -> Result<FetchedLayers> {
    incoming.images.push_back(TRY(fetch_image_head(place, digest, store, registry, tools)));
    IncomingImage& image = incoming.images.front();
    if (large == LargeBlobs::Dropped) image.arrivals = {arrivals_folder(tools), origin_of(place)};
    TRY(wait_for_lazy_server(image, store, tools));
    const LayerSteps steps{[](std::size_t) { return true; },
                           [&](std::size_t i, const Tools& with_cancel) -> Result<void> {
                             if (::geteuid() != 0) return {};
                             return unpack_incoming_layer(store, image, i, with_cancel);
                           }};
    return fetch_image_layers(place, image, store, registry, tools, steps);
  };
  const auto fetched = TRY_WHILE(fmt::format("pulling `{}`", place.name.text()), pull());
  incoming.signatures =
      TRY(fetch_its_signatures(place, incoming.images.front().digest, store, registry, tools));
  incoming.fetched_layers = fetched.count;
  incoming.fetched_bytes = fetched.bytes;
  return incoming;
}

}  // namespace slipway::plan
