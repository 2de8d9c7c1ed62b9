/// Sizes as people write and read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway {

/// "767 MB", "1.6 GB", "12 kB": powers of ten, as downloads are counted.
std::string size_text(std::uint64_t bytes);

/// "32g", "23.5g", "512m": powers of 1024, in the way parse_size reads them, for what is given so.
std::string memory_text(std::uint64_t bytes);

/// `512`, `64k`, `32m`, `8g`, `1t`, with an optional `b` (`32gb`, `32GiB`): powers of 1024, as
/// `docker run --memory` reads them. Fails with InvalidInput.
Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace slipway
