#include "layer/zip_name.h"

#include "layer/zip_directory.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kLongestName = 1024, kLongestPart = 255, kDeepest = 64;

/// Length of the UTF-8 sequence at the front, 0 where there is none (RFC 3629: no surrogates, no
/// overlong forms).
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return at(i) >= low && at(i) <= high;
  };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80, high = first == 0xed ? 0x9f : 0xbf;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80, high = first == 0xf4 ? 0x8f : 0xbf;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

std::string find_bad_character(std::string_view name, bool is_utf8) {
  for (std::size_t i = 0; i < name.size();) {
    const auto byte = static_cast<unsigned char>(name[i]);
    if (byte == 0) return "has a NUL in its name";
    if (byte < 0x20 || byte == 0x7f) return "has a control character in its name";
    if (byte == '\\') return "has a backslash in its name";
    if (byte >= 0x80 && !is_utf8) return "has a name that is neither ASCII nor marked as UTF-8";
    const std::size_t length = utf8_length(name.substr(i));
    if (length == 0) return "has a name that is not valid UTF-8";
    i += length;
  }
  return {};
}

}  // namespace

std::string find_name_fault(std::string_view name, bool is_utf8) {
  if (name.empty()) return "has no name";
  if (name.size() > kLongestName) return "has too long a name";
  if (std::string fault = find_bad_character(name, is_utf8); !fault.empty()) return fault;
  if (name.starts_with('/')) return "has an absolute name";
  if (name.ends_with('/')) name.remove_suffix(1);
  std::size_t depth = 0;
  while (true) {
    const std::size_t slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    if (part == "..") return "has `..` in its name";
    if (part == "." || part.empty()) return "has an empty part or `.` in its name";
    if (part.size() > kLongestPart) return "has too long a name";
    if (++depth > kDeepest) return "lies too deep";
    if (slash == std::string_view::npos) return {};
    name.remove_prefix(slash + 1);
  }
}

std::string shown_name(std::string_view name) {
  std::string shown;
  for (const char c : name.substr(0, 200)) shown.push_back(c < 0x20 || c == 0x7f ? '?' : c);
  if (name.size() > 200) shown += "…";
  return shown;
}

}  // namespace slipway::layer
