/// Which images a collection forgets for their age or for the store's size. Private to `store`.
#pragma once

#include <functional>
#include <set>
#include <vector>

#include "store/garbage.h"

namespace slipway::store {

/// What goes when these images are forgotten too: what `Effect::Count` says, on the disk.
using CountFreed = std::function<Result<std::uint64_t>(const std::vector<ImageName>& forgotten)>;

/// The images, the longest unused first, that are older than `options.unused_since`, and then as
/// many more as it takes until `total_bytes` without what goes is at most `options.keep_bytes`; all
/// that may go where nothing less does. Never those of `options.keep`, nor of `held`. `count` is
/// asked only where there is a budget, and rarely: what goes grows with each image, so halving
/// finds it.
Result<std::vector<ImageName>> choose_images(const Store& store, const GarbageOptions& options,
                                             const std::set<Digest>& held,
                                             std::uint64_t total_bytes, const CountFreed& count);

}  // namespace slipway::store
