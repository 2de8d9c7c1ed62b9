#pragma once

namespace slipway::cli {
inline constexpr const char* kVersion = SLIPWAY_VERSION;
}
