#include "cli/print_error.h"

#include <algorithm>
#include <array>

#include "cli/plain_text.h"

namespace slipway::cli {
namespace {

/// `file:12:3: ...` : one mistake among several, not a step of an argument.
bool begins_with_place(std::string_view text) {
  const std::size_t end = text.find(": ");
  if (end == std::string_view::npos) return false;
  const std::string_view place = text.substr(0, end);
  const std::size_t last = place.rfind(':');
  if (last == std::string_view::npos || last == 0) return false;
  const std::size_t first = place.rfind(':', last - 1);
  if (first == std::string_view::npos || first == 0) return false;
  const auto is_number = [](std::string_view digits) {
    return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return is_number(place.substr(last + 1)) && is_number(place.substr(first + 1, last - first - 1));
}

bool has_its_word(std::string_view reason) {
  static constexpr std::array<std::string_view, 5> kWords{"because ", "and ", "so ", "but ", "  "};
  return begins_with_place(reason) ||
         std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return reason.starts_with(word); });
}

/// Each line of `text` after the indent; what another program said may have several.
void append(std::string& out, std::string_view indent, std::string_view text) {
  while (true) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += fmt::format("{}{}\n", indent, plain_text(text.substr(0, end)));
    if (end >= text.size()) return;
    text.remove_prefix(end + 1);
  }
}

std::string label(std::string_view word, std::string_view code, Colour colour) {
  return colour == Colour::Yes ? fmt::format("\x1b[{}m{}:\x1b[0m ", code, word)
                               : fmt::format("{}: ", word);
}

}  // namespace

std::string error_text(const Error& error, Colour colour) {
  std::string out = label("error", "1;31", colour);
  append(out, "", error.message);
  for (const std::string& step : error.steps) append(out, "  ", "while " + step);
  bool first = true;
  for (const std::string& reason : error.because) {
    append(out, "  ", (has_its_word(reason) ? "" : first ? "because " : "and ") + reason);
    first = false;
  }
  for (const std::string& hint : error.hints) {
    out += label("hint", "1;36", colour);
    append(out, "", hint);
  }
  return out;
}

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::InvalidInput:
      return 2;
    case ErrorKind::Unsolvable:
      return 3;
    case ErrorKind::Unavailable:
      return 4;
    case ErrorKind::Cancelled:
      return 130;
    case ErrorKind::NotFound:
    case ErrorKind::Corrupt:
    case ErrorKind::Denied:
    case ErrorKind::Unsupported:
    case ErrorKind::Io:
      return 1;
  }
  return 1;
}

}  // namespace slipway::cli
