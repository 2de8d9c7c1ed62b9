/// `Content-Range: bytes 10-19/1000` (RFC 9110, section 14.4). Internal to http. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace slipway::http {

struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t total_bytes = 0;
};

/// Nothing for what is not well formed, lies about itself, or does not give the total.
std::optional<ContentRange> parse_content_range(std::string_view header);

/// Digits only. Nothing for anything else, or what does not fit.
std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace slipway::http
