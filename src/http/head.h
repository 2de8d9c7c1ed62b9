/// The status and headers of an answer, as libcurl hands them over line by line. Internal to http.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "http/client.h"

namespace slipway::http {

struct Head {
  int status = 0;
  std::vector<Header> headers;

  /// A status line starts anew: those of redirects and of 1xx are gone then.
  void take_line(std::string_view line);
  std::optional<std::string_view> find(std::string_view name) const;
  bool is_html() const;
};

}  // namespace slipway::http
