// The part of LayerBuilder that puts Debian packages onto a base image.
#include <fcntl.h>

#include <algorithm>

#include "base/size_text.h"
#include "base/user_namespace.h"
#include "layer/debian_addition.h"
#include "layer/unpack_layer.h"
#include "plan/base_image.h"
#include "plan/image_layers.h"
#include "plan/known_layers.h"

namespace slipway::plan {

std::vector<layer::DebInput> deb_inputs(const spec::Lock& lock, const Tools& tools) {
  std::vector<layer::DebInput> debs;
  for (const spec::LockedDeb& deb : lock.debs) {
    debs.push_back({deb.name, cached_path(make_artifact(deb), tools), deb.sha256});
  }
  return debs;
}

Result<Digest> apt_key(const store::Store& store, const spec::Lock& lock, const Tools& tools) {
  std::vector<Digest> diff_ids;
  if (const auto base = TRY(find_base_image(store, lock))) diff_ids = base->image.config.diff_ids;
  return layer::debian_addition_key(deb_inputs(lock, tools), diff_ids, lock.base->interpreter);
}

Result<ImageLayer> LayerBuilder::apt_layer(const std::vector<ImageLayer>& base,
                                           const CancelToken& cancel) {
  std::vector<std::string> packages{std::string(kAptLabel)};
  for (const spec::LockedDeb& deb : lock_.debs) packages.push_back(deb.name + " " + deb.version);
  const Digest key = TRY(apt_key(store_, lock_, tools_));
  if (const auto facts = TRY(find_layer(store_, key))) return describe_layer(*facts, packages);

  layer::AdditionOptions options;
  options.scratch_folder = store_.home() + "/tmp";
  options.interpreter = lock_.base->interpreter;
  for (auto layer = base.rbegin(); layer != base.rend(); ++layer) {
    // Of a layer that an image has twice overlayfs takes one: what is on top counts.
    const bool is_again = std::ranges::any_of(
        options.base, [&](const layer::TreeLayer& one) { return one.id == layer->diff_id; });
    if (!is_again) options.base.push_back({layer->diff_id, store_.layer_path(layer->diff_id)});
  }
  std::ranges::reverse(options.base);
  const std::vector<layer::DebInput> debs = deb_inputs(lock_, tools_);
  store::BlobWriter blob = TRY(store_.start_blob());
  const layer::LayerFacts facts =
      TRY_WHILE(fmt::format("installing Debian packages onto the base `{}`", lock_.base->image),
                layer::build_debian_addition(debs, options, blob, tools_.reporter, cancel));
  TRY(blob.commit(facts.digest));

  // From the blob, as every other machine will: whiteouts become the marks of this one's overlays.
  TemporaryFolder tree = TRY(store_.make_layer_folder());
  const UniqueFd file = TRY(open_file(store_.blob_path(facts.digest), O_RDONLY));
  FdSource source(file.get());
  const auto marks = in_user_namespace() ? layer::OverlayMarks::User : layer::OverlayMarks::Trusted;
  TRY(layer::unpack_layer(source, tree.path(), marks, layer::Owners::AsSaid, cancel));
  tools_.reporter.done(fmt::format("installed {} Debian packages onto the base, {}", debs.size(),
                                   size_text(facts.unpacked_bytes)));
  return keeper_.keep(key, std::move(tree), facts, std::move(packages));
}

}  // namespace slipway::plan
