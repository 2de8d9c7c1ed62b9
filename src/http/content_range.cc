#include "http/content_range.h"

#include <charconv>

namespace slipway::http {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<ContentRange> parse_content_range(std::string_view header) {
  constexpr std::string_view kUnit = "bytes ";
  const auto dash = header.find('-');
  const auto slash = header.find('/');
  if (!header.starts_with(kUnit) || slash == std::string_view::npos || dash > slash) {
    return std::nullopt;
  }
  const auto first = parse_number(header.substr(kUnit.size(), dash - kUnit.size()));
  const auto last = parse_number(header.substr(dash + 1, slash - dash - 1));
  const auto total = parse_number(header.substr(slash + 1));
  if (!first || !last || !total || *last < *first || *last >= *total) return std::nullopt;
  return ContentRange{*first, *last, *total};
}

}  // namespace slipway::http
