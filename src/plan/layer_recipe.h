/// How a layer's blob that is not kept is had again: spliced of which wheels, in which layout, or
/// fetched from where it came. Text, one line a fact; docs/formats/image.md.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "layer/wheel_layer.h"
#include "plan/artifacts.h"
#include "plan/registries.h"
#include "plan/tools.h"

namespace slipway::plan {

/// The repository that a blob was pulled from, to be looked up again as plan/registries.h has it.
struct BlobOrigin {
  std::string repository;  ///< `host:5000/team/x`
  registry::Trust trust = registry::Trust::Checked;
  bool operator==(const BlobOrigin&) const = default;
  auto operator<=>(const BlobOrigin&) const = default;
};

BlobOrigin origin_of(const ImagePlace& place);

/// With an `origin` it is fetched, and the rest is empty.
struct LayerRecipe {
  std::optional<BlobOrigin> origin;
  int layout = 0;
  layer::WheelLayerOptions options;
  std::vector<Artifact> wheels;
};

std::string write_recipe(std::span<const layer::WheelInput> wheels, const spec::Lock& lock);
std::string write_recipe(const BlobOrigin& origin);
/// Fails with Corrupt, or Unsupported for the layout of another version.
Result<LayerRecipe> parse_recipe(std::string_view text);

/// What splicing needs. The wheels must be in the cache.
std::vector<layer::WheelInput> recipe_inputs(const LayerRecipe& recipe, const Tools& tools);

}  // namespace slipway::plan
