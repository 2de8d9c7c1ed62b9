/// SLIPWAY_CHECK: a condition that only a bug of ours can break. Never for input. Stays on in
/// release builds and ends the process with the place and the condition.
#pragma once

namespace slipway {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define SLIPWAY_CHECK(condition)                                               \
  do {                                                                         \
    if (!(condition)) ::slipway::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
