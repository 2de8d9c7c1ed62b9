/// What an entry of a foreign layer has besides contents: owner, extended attributes, time.
#pragma once

#include <time.h>

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "layer/owners.h"
#include "layer/tar_item.h"

namespace slipway::layer {

/// Of extended attributes: file capabilities and the user's own, without overlay's marks.
bool is_wanted_attribute(std::string_view name);

/// Sets those. Returns how many are left out, wanted or not.
std::uint64_t set_attributes(int fd, const TarItem& item);

/// `fd` may be one of O_PATH. Fails with Unsupported for owners that this user's ids do not reach.
Result<void> give_away(int fd, const TarItem& item, Owners owners);

timespec time_of(const TarItem& item);

/// Of `errno`, for a call that had to do with `path` of the layer.
Error failed(std::string_view what, std::string_view path);

}  // namespace slipway::layer
