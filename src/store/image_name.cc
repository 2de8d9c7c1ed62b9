#include "store/image_name.h"

#include <algorithm>

namespace slipway::store {
namespace {

constexpr std::size_t kMostNameCharacters = 255;
constexpr std::size_t kMostTagCharacters = 128;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

Error name_error(std::string_view text, std::string_view why) {
  return make_error(ErrorKind::InvalidInput, "`{}` is not an image name: {}", text, why);
}

/// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_component(std::string_view text) {
  std::size_t i = 0;
  for (;;) {
    const std::size_t start = i;
    while (i < text.size() && (is_digit(text[i]) || is_lower(text[i]))) ++i;
    if (i == start) return false;
    if (i == text.size()) return true;
    const std::size_t separator = i;
    while (i < text.size() && text[i] == text[separator] && !is_digit(text[i]) &&
           !is_lower(text[i])) {
      ++i;
    }
    const std::size_t length = i - separator;
    const char c = text[separator];
    if (!((c == '.' && length == 1) || (c == '_' && length <= 2) || c == '-')) return false;
  }
}

/// A host name or address, with an optional port.
bool is_registry(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) {
      return false;
    }
    text = text.substr(0, colon);
  }
  bool at_start = true;
  char last = '.';
  for (const char c : text) {
    if (!(is_digit(c) || is_letter(c) || (!at_start && (c == '-' || c == '.')))) return false;
    if (c == '.' && last == '-') return false;
    at_start = c == '.';
    last = c;
  }
  return !text.empty() && (is_digit(last) || is_letter(last));
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= kMostTagCharacters && text[0] != '.' && text[0] != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || is_letter(c) || c == '_' || c == '.' || c == '-';
         });
}

}  // namespace

std::string ImageName::text() const {
  return fmt::format("{}{}{}:{}", registry, registry.empty() ? "" : "/", name, tag);
}

Result<ImageName> parse_image_name(std::string_view text) {
  ImageName result;
  std::string_view rest = text;
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) {
    const std::string_view first = rest.substr(0, slash);
    if (first == "localhost" || first.find_first_of(".:") != std::string_view::npos) {
      if (!is_registry(first)) return name_error(text, fmt::format("`{}` is no host", first));
      result.registry = first;
      rest.remove_prefix(slash + 1);
    }
  }
  const std::size_t colon = rest.find(':');
  if (colon != std::string_view::npos) {
    result.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!is_tag(result.tag)) {
      return name_error(text,
                        "a tag is up to 128 letters, digits, `_`, `.` and `-`, and starts with "
                        "neither `.` nor `-`");
    }
  }
  result.name = rest;
  if (result.registry.size() + 1 + rest.size() > kMostNameCharacters) {
    return name_error(text, "it is longer than 255 characters");
  }
  for (;;) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    if (!is_component(rest.substr(0, end))) {
      return name_error(text,
                        "each part is lower-case letters and digits, with single `.`, `_`, `__` "
                        "or dashes between them");
    }
    if (end == rest.size()) return result;
    rest.remove_prefix(end + 1);
  }
}

Result<ImageReference> parse_image_reference(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return ImageReference{TRY(parse_image_name(text)), {}};
  const std::string_view digest = text.substr(at + 1);
  if (!digest.starts_with("sha256:")) {
    return name_error(text, "what follows `@` has to be a digest, `sha256:…`");
  }
  return ImageReference{TRY(parse_image_name(text.substr(0, at))), TRY(parse_digest(digest))};
}

}  // namespace slipway::store
