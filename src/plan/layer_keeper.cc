#include "plan/layer_keeper.h"

#include "plan/known_layers.h"
#include "plan/layer_facts.h"

namespace slipway::plan {

ImageLayer describe_layer(const layer::LayerFacts& facts, std::vector<std::string> labels) {
  ImageLayer layer;
  layer.digest = facts.digest;
  layer.diff_id = facts.diff_id;
  layer.size_bytes = facts.size_bytes;
  layer.packages = std::move(labels);
  layer.tar_bytes = facts.tar_bytes;
  layer.toc = facts.toc;
  return layer;
}

Result<ImageLayer> LayerKeeper::keep(const Digest& key, TemporaryFolder tree,
                                     const layer::LayerFacts& facts,
                                     std::vector<std::string> labels) const {
  TRY(store_.adopt_layer(std::move(tree), facts.diff_id));
  TRY(remember_layer(store_, key, facts));
  // For the proof at the end: now, while other cores are still busy with other layers.
  if (request_.proof == Proof::Closure) (void)TRY(read_layer_facts(store_, facts.diff_id, tools_));
  return describe_layer(facts, std::move(labels));
}

Result<ImageLayer> LayerKeeper::make(const Digest& key, std::vector<layer::Entry> entries,
                                     std::vector<std::string> labels,
                                     const CancelToken& cancel) const {
  if (const auto facts = TRY(find_layer(store_, key))) {
    return describe_layer(*facts, std::move(labels));
  }
  TemporaryFolder tree = TRY(store_.make_layer_folder());
  store::BlobWriter blob = TRY(store_.start_blob());
  const layer::LayerFacts facts =
      TRY(layer::write_layer(std::move(entries), blob, &tree.path(), cancel));
  TRY(blob.commit(facts.digest));
  return keep(key, std::move(tree), facts, std::move(labels));
}

}  // namespace slipway::plan
