#include "http/retry.h"

#include <algorithm>

namespace slipway::http {

std::optional<std::chrono::milliseconds> next_delay(const ClientOptions& options, int attempts,
                                                    const Failure& failure) {
  if (!failure.retry_helps || attempts > options.retries) return std::nullopt;
  std::chrono::milliseconds delay = options.first_delay * (1 << std::clamp(attempts - 1, 0, 20));
  if (failure.wait) delay = std::max(delay, *failure.wait);
  return std::min<std::chrono::milliseconds>(delay, options.longest_delay);
}

}  // namespace slipway::http
