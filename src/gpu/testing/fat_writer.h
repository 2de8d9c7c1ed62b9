/// Fat binaries made to measure, for tests.
#pragma once

#include <string>
#include <vector>

#include "gpu/fat_binary.h"

namespace slipway::gpu {

/// One container: `count` entries for each group, of `bytes / count` payload bytes each.
std::string make_fat_binary(const std::vector<CodeGroup>& groups);

/// `sass sm_86` and `ptx sm_80 8.4`, of one entry with 64 bytes.
CodeGroup sass(std::string_view target);
CodeGroup ptx(std::string_view target, std::string version);

}  // namespace slipway::gpu
