/// How a layer's blob that is not kept is made again: which wheels, in which layout. Text, one line
/// a fact; docs/formats/image.md.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "layer/wheel_layer.h"
#include "plan/artifacts.h"
#include "plan/tools.h"

namespace slipway::plan {

struct LayerRecipe {
  int layout = 0;
  layer::WheelLayerOptions options;
  std::vector<Artifact> wheels;
};

std::string write_recipe(std::span<const layer::WheelInput> wheels, const spec::Lock& lock);
/// Fails with Corrupt, or Unsupported for the layout of another version.
Result<LayerRecipe> parse_recipe(std::string_view text);

/// What splicing needs. The wheels must be in the cache.
std::vector<layer::WheelInput> recipe_inputs(const LayerRecipe& recipe, const Tools& tools);

}  // namespace slipway::plan
