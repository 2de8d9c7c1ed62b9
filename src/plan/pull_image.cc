#include "plan/pull_image.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/threads.h"
#include "plan/blob_places.h"
#include "plan/signatures.h"
#include "registry/registry.h"

namespace slipway::plan {
namespace {

constexpr std::size_t kParallelDownloads = 4;
constexpr int kMostNesting = 4;  ///< indexes in indexes

class Pull {
 public:
  Pull(const ImagePlace& place, const Tools& tools, const store::Store& store,
       registry::Registry& registry)
      : place_(place), tools_(tools), store_(store), registry_(registry) {}

  Result<IncomingImage> run(const std::optional<Digest>& digest) {
    store::ImageName name = place_.name;
    if (digest) name.tag = "sha256-" + digest->hex();
    const registry::FetchedManifest found =
        TRY(find_image(digest ? digest->text() : name.tag, kMostNesting));
    const oci::Manifest manifest =
        TRY_WHILE("reading its manifest", oci::parse_manifest(found.text));
    TRY(store_.put_blob_bytes(as_bytes(found.text)));
    if (!store_.has_blob(manifest.config.digest)) {
      const std::string config = TRY(registry_.fetch_small(place_.repository, manifest.config,
                                                           oci::kMostConfigBytes, tools_.cancel));
      TRY(store_.put_blob_bytes(as_bytes(config)));
    }
    IncomingImage image = TRY(make_incoming(store_, {name}, found.digest));
    TRY(fetch_layers(image));
    return image;
  }
  const std::vector<oci::Descriptor>& fetched() const { return wanted_; }

 private:
  Result<registry::FetchedManifest> find_image(const std::string& reference, int nesting) {
    registry::FetchedManifest found =
        TRY(registry_.fetch_manifest(place_.repository, reference, tools_.cancel));
    if (!oci::is_index(found.media_type)) return found;
    const oci::Index index = TRY_WHILE("reading its index", oci::parse_index(found.text));
    const auto is_ours = [](const oci::Descriptor& one) {
      return one.platform && one.platform->os == "linux" && one.platform->architecture == "amd64";
    };
    const auto ours = std::ranges::find_if(index.manifests, is_ours);
    if (ours != index.manifests.end() && nesting > 0) {
      return find_image(ours->digest.text(), nesting - 1);
    }
    Error error =
        make_error(ErrorKind::Unsupported, "`{}` has no image for linux/amd64", place_.name.text());
    for (const oci::Descriptor& one : index.manifests) {
      if (one.platform) error.because.push_back("it has one for " + one.platform->text());
    }
    return error;
  }

  /// A layer that was built here is unpacked and can be spliced: its blob is not needed.
  Result<bool> is_wanted(const IncomingImage& image, std::size_t i) const {
    const Digest& digest = image.manifest.layers[i].digest;
    if (store_.has_blob(digest)) return false;
    return !store_.has_layer(image.config.diff_ids[i]) || !TRY(store_.find_recipe(digest));
  }

  Result<void> fetch_layers(const IncomingImage& image) {
    std::set<Digest> seen;
    for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
      const oci::Descriptor& layer = image.manifest.layers[i];
      if (TRY(is_wanted(image, i)) && seen.insert(layer.digest).second) wanted_.push_back(layer);
    }
    std::ranges::stable_sort(wanted_, std::greater(), &oci::Descriptor::size_bytes);
    const std::string folder = tools_.cache_folder + "/blobs";
    TRY(make_folders(folder));
    const auto fetch = [&](std::size_t i, const CancelToken& cancel) -> Result<void> {
      const oci::Descriptor& layer = wanted_[i];
      const std::string path = join_path(folder, layer.digest.hex());
      TRY(registry_.fetch_blob(place_.repository, layer, path, layer.digest.hex().substr(0, 12),
                               tools_.reporter, cancel));
      return store_.adopt_blob(path, layer.digest);
    };
    TRY(for_each_parallel(wanted_.size(), kParallelDownloads, tools_.cancel, fetch));
    for (const oci::Descriptor& layer : image.manifest.layers) {
      TRY(note_blob_place(store_, layer.digest, place_.host.name, place_.repository));
    }
    return {};
  }

  const ImagePlace& place_;
  const Tools& tools_;
  const store::Store& store_;
  registry::Registry& registry_;
  std::vector<oci::Descriptor> wanted_;
};

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

}  // namespace

Result<Incoming> fetch_image(const ImagePlace& place, const std::optional<Digest>& digest,
                             const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  Incoming incoming{TRY(store.lease(tools.reporter, tools.cancel)), {}, 0, 0, 0};
  registry::Registry registry = TRY(registry::Registry::open(place.host, {}, tools.cancel));
  Pull pull(place, tools, store, registry);
  incoming.images.push_back(
      TRY_WHILE(fmt::format("pulling `{}`", place.name.text()), pull.run(digest)));
  incoming.signatures =
      TRY(fetch_its_signatures(place, incoming.images.front().digest, store, registry, tools));
  incoming.fetched_layers = pull.fetched().size();
  for (const oci::Descriptor& layer : pull.fetched()) incoming.fetched_bytes += layer.size_bytes;
  return incoming;
}

}  // namespace slipway::plan
