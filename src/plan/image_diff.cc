#include "plan/image_diff.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/threads.h"
#include "base/user_namespace.h"
#include "plan/diff_packages.h"
#include "plan/layer_facts.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kSizeKind = "unpacked-bytes";

std::vector<layer::TreeLayer> trees_of(const StoredImage& image, const store::Store& store) {
  std::vector<layer::TreeLayer> trees;
  for (const Digest& diff_id : image.config.diff_ids)
    trees.push_back({diff_id, store.layer_path(diff_id)});
  return trees;
}

Result<std::uint64_t> layer_bytes(const store::Store& store, const Digest& diff_id,
                                  const CancelToken& cancel) {
  if (const auto text = TRY(store.find_known(kSizeKind, diff_id))) {
    std::uint64_t bytes = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), bytes);
    if (error == std::errc() && end != text->data()) return bytes;
  }
  const std::uint64_t bytes = TRY(layer::measure_tree(store.layer_path(diff_id), cancel));
  TRY(store.put_known(kSizeKind, diff_id, fmt::format("{}\n", bytes)));
  return bytes;
}

/// What is known of each layer, once for both images.
struct LayerKnowledge {
  gpu::LayerLibraries libraries;
  std::uint64_t bytes = 0;
};

Result<std::map<Digest, LayerKnowledge>> know_layers(const StoredImage& before,
                                                     const StoredImage& after,
                                                     const store::Store& store,
                                                     const Tools& tools) {
  std::map<Digest, LayerKnowledge> known;
  for (const StoredImage* image : {&before, &after}) {
    for (const Digest& diff_id : image->config.diff_ids) known[diff_id];
  }
  std::vector<std::pair<const Digest, LayerKnowledge>*> list;
  for (auto& entry : known) list.push_back(&entry);
  const auto read = [&](std::size_t i, const CancelToken& cancel) -> Result<void> {
    list[i]->second.libraries = TRY(read_layer_facts(store, list[i]->first, tools));
    list[i]->second.bytes = TRY(layer_bytes(store, list[i]->first, cancel));
    return {};
  };
  TRY(for_each_parallel(list.size(), usable_cores(), tools.cancel, read));
  return known;
}

DiffSide side_of(const StoredImage& image, const std::map<Digest, LayerKnowledge>& known) {
  DiffSide side{image.reference, image.digest, image.config.diff_ids.size(), image.size_bytes(), 0};
  for (const Digest& diff_id : image.config.diff_ids)
    side.unpacked_bytes += known.at(diff_id).bytes;
  return side;
}

std::vector<gpu::LayerLibraries> libraries_of(const StoredImage& image,
                                              const std::map<Digest, LayerKnowledge>& known) {
  std::vector<gpu::LayerLibraries> libraries;
  for (const Digest& diff_id : image.config.diff_ids)
    libraries.push_back(known.at(diff_id).libraries);
  return libraries;
}

/// A registry and every engine know a layer by the digest of its blob.
void count_pull(const StoredImage& before, const StoredImage& after, ImageDiff& diff) {
  std::set<Digest> there, counted;
  for (const oci::Descriptor& layer : before.manifest.layers) there.insert(layer.digest);
  for (const oci::Descriptor& layer : after.manifest.layers) {
    if (!counted.insert(layer.digest).second) continue;
    const bool is_shared = there.contains(layer.digest);
    ++(is_shared ? diff.shared_layers : diff.pulled_layers);
    (is_shared ? diff.shared_bytes : diff.pulled_bytes) += layer.size_bytes;
  }
}

}  // namespace

Result<ImageDiff> diff_images(const StoredImage& before, const StoredImage& after,
                              const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  for (const StoredImage* image : {&before, &after}) TRY(check_unpacked(*image, store));
  const auto known = TRY(know_layers(before, after, store, tools));
  ImageDiff diff;
  diff.before = side_of(before, known);
  diff.after = side_of(after, known);
  count_pull(before, after, diff);
  diff.config = diff_configs(before.config, after.config);
  if (before.config.diff_ids == after.config.diff_ids) return diff;
  diff.code = diff_code(libraries_of(before, known), libraries_of(after, known));
  const auto owners = in_user_namespace() ? layer::CompareOwners::No : layer::CompareOwners::Yes;
  std::vector<layer::PathChange> changes = TRY(
      layer::compare_trees(trees_of(before, store), trees_of(after, store), owners, tools.cancel));
  const ImageFiles before_files(before, store), after_files(after, store);
  PackagesAndFiles found = diff_packages(std::move(changes), before_files, after_files);
  diff.packages = std::move(found.packages);
  diff.files = std::move(found.files);
  return diff;
}

}  // namespace slipway::plan
