#include "cli/age.h"

#include <charconv>

namespace slipway::cli {

Result<std::chrono::minutes> parse_age(std::string_view text) {
  constexpr std::chrono::minutes kMost = std::chrono::days(36525);
  const Error bad = make_error(ErrorKind::InvalidInput, "`{}` is no age", text)
                        .hint("write a number and m, h, d or w: `12h`, `30d`, `2w`");
  std::int64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || end - rest != 1 || count < 0) return bad;
  const std::int64_t minutes = *rest == 'm'   ? 1
                               : *rest == 'h' ? 60
                               : *rest == 'd' ? std::int64_t{24} * 60
                               : *rest == 'w' ? std::int64_t{7} * 24 * 60
                                              : 0;
  if (minutes == 0 || count > kMost.count() / minutes) return bad;
  return std::chrono::minutes(count * minutes);
}

}  // namespace slipway::cli
