/// What an answer that is none means. Internal to http.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace slipway::http {

/// Why an attempt failed, and whether another one makes sense.
struct Failure {
  Error error;
  bool retry_helps = false;
  std::optional<std::chrono::milliseconds> wait;  ///< the server's Retry-After
};

/// Of a status of 400 or more. `retry_after` is 0 when the server does not say. `url` is shown.
Failure status_failure(int status, std::chrono::seconds retry_after, std::string_view url);

/// Of a transfer that ended with this CURLcode; `detail` is libcurl's own text, or empty.
Failure transfer_failure(int curl_code, std::string_view detail, std::string_view url);

}  // namespace slipway::http
