#include "gpu/number_text.h"

#include <limits>

namespace slipway::gpu {
namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr unsigned kBits = 5, kMore = 1 << kBits;  ///< kMore: another letter of this number follows

unsigned value_of(char letter) {
  if (letter >= 'A' && letter <= 'Z') return static_cast<unsigned>(letter - 'A');
  if (letter >= 'a' && letter <= 'z') return static_cast<unsigned>(letter - 'a') + 26;
  if (letter >= '0' && letter <= '9') return static_cast<unsigned>(letter - '0') + 52;
  return letter == '+' ? 62 : letter == '/' ? 63 : 64;
}

}  // namespace

std::string write_rising_numbers(std::span<const std::uint32_t> numbers) {
  std::string text;
  std::uint32_t next = 0;  // the least that may come
  for (const std::uint32_t number : numbers) {
    std::uint32_t step = number - next;
    while (step >= kMore) {
      text += kLetters[step % kMore + kMore];
      step >>= kBits;
    }
    text += kLetters[step];
    next = number + 1;
  }
  return text;
}

std::optional<std::vector<std::uint32_t>> parse_rising_numbers(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  std::uint64_t next = 0, step = 0;
  unsigned shift = 0;
  for (const char letter : text) {
    const unsigned value = value_of(letter);
    if (value > 63 || shift > 30) return std::nullopt;
    step |= std::uint64_t{value % kMore} << shift;
    shift += kBits;
    if (value >= kMore) continue;
    if (value == 0 && shift > kBits) return std::nullopt;  // one number has one form
    const std::uint64_t number = next + step;
    if (number >= std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    numbers.push_back(static_cast<std::uint32_t>(number));
    next = number + 1;
    step = 0;
    shift = 0;
  }
  if (shift != 0) return std::nullopt;
  return numbers;
}

}  // namespace slipway::gpu
