/// What the store remembers of layers that were made once, by what went into them.
#pragma once

#include <optional>

#include "layer/layout.h"
#include "store/store.h"

namespace slipway::plan {

/// Of a layer that is known, with its tree (and, unless a recipe stands for it, its blob) in the
/// store.
Result<std::optional<layer::LayerFacts>> find_layer(const store::Store& store, const Digest& key);

/// So that find_layer knows it from now on.
Result<void> remember_layer(const store::Store& store, const Digest& key,
                            const layer::LayerFacts& facts);

}  // namespace slipway::plan
