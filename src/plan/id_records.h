/// Who an image's user is, by the image's own passwd(5) and group(5). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::plan {

/// Numeric ids of an image's user.
struct ImageIds {
  std::uint32_t uid = 0, gid = 0;
  bool operator==(const ImageIds&) const = default;
};

/// Of `user[:group]`, each a name or a number; nobody named is root. `image` is for messages. Fails
/// with InvalidInput for a name that is not there.
Result<ImageIds> find_ids(std::string_view user, std::string_view passwd, std::string_view group,
                          std::string_view image);

/// The same where no file has to be asked: `1000:1000`, `0`, or nothing.
std::optional<ImageIds> find_numeric_ids(std::string_view user);

}  // namespace slipway::plan
