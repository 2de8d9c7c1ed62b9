/// When to try again. Internal to http. Pure.
#pragma once

#include <chrono>
#include <optional>

#include "http/client.h"
#include "http/failure.h"

namespace slipway::http {

/// How long to wait before the next attempt, after `attempts` that failed; nothing: give up. The
/// pause doubles each time; the server's own wish counts where it is longer, up to the bound.
std::optional<std::chrono::milliseconds> next_delay(const ClientOptions& options, int attempts,
                                                    const Failure& failure);

}  // namespace slipway::http
