#include "base/size_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace slipway {

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const bool fraction = unit > 0 && value < 9.95;
  return fmt::format("{:.{}f} {}", value, fraction ? 1 : 0, kUnits[unit]);
}

std::string memory_text(std::uint64_t bytes) {
  static constexpr std::array kUnits{"t", "g", "m", "k", ""};
  // As it was given, where it was given in round numbers: 9000g.
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    const std::uint64_t unit = 1ULL << (10 * (kUnits.size() - 1 - i));
    if ((bytes >= unit || unit == 1) && bytes % unit == 0 && bytes / unit < 10000) {
      return fmt::format("{}{}", bytes / unit, kUnits[i]);
    }
  }
  std::size_t i = 0;
  while (i + 1 < kUnits.size() && bytes >> (10 * (kUnits.size() - 1 - i)) == 0) ++i;
  const auto unit = static_cast<double>(1ULL << (10 * (kUnits.size() - 1 - i)));
  // Cut off rather than rounded: it is read as what can be had.
  return fmt::format("{:.1f}{}", std::floor(10 * static_cast<double>(bytes) / unit) / 10,
                     kUnits[i]);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string unit;
  for (const char* p = end; p != text.data() + text.size(); ++p) {
    unit.push_back(*p >= 'A' && *p <= 'Z' ? static_cast<char>(*p - 'A' + 'a') : *p);
  }
  int shift = -1;
  if (unit.empty() || unit == "b") shift = 0;
  static constexpr std::string_view kLetters = "kmgt";
  for (std::size_t i = 0; i < kLetters.size() && shift < 0; ++i) {
    const std::string letter(1, kLetters[i]);
    if (unit == letter || unit == letter + "b" || unit == letter + "ib") {
      shift = static_cast<int>(10 * (i + 1));
    }
  }
  if (error != std::errc() || shift < 0 || (value << shift) >> shift != value) {
    return make_error(ErrorKind::InvalidInput, "`{}` is not a size", text)
        .hint("write a number and k, m, g or t, like `512m` or `32g`");
  }
  return value << shift;
}

}  // namespace slipway
