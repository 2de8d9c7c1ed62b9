/// Which files of an image a start reads, in their order: recorded once where the image is made,
/// sent along with it, and what a lazy pull fetches first.
///
/// A referrer of the image (image-spec manifest.md, `subject`) of the type kReadOrderType with one
/// layer: absolute paths, a line each. It is advice: nothing in it is believed but that it saves
/// time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/registries.h"
#include "plan/stored_images.h"
#include "plan/tools.h"
#include "registry/registry.h"

namespace slipway::plan {

inline constexpr std::string_view kReadOrderType = "application/vnd.slipway.read-order.v1";

/// The lines of such a list, each once; what is no absolute path is passed over. Pure.
std::vector<std::string> parse_read_order(std::string_view text);

/// Keeps it beside the image, which needs a lease. What was kept before stays.
Result<void> store_read_order(const store::Store& store, const StoredImage& image,
                              const std::vector<std::string>& paths);

/// Sends those that the store has. Returns how many.
Result<std::size_t> send_read_orders(registry::Registry& registry, const std::string& repository,
                                     const store::Store& store, const Digest& image,
                                     const CancelToken& cancel);

/// The paths of all that the registry has, each once; none where there is none, or where it cannot
/// be had.
Result<std::vector<std::string>> fetch_read_order(registry::Registry& registry,
                                                  const std::string& repository,
                                                  const Digest& image, const CancelToken& cancel);

}  // namespace slipway::plan
