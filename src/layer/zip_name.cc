#include "layer/zip_name.h"

#include "base/utf8.h"
#include "layer/zip_directory.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kLongestName = 1024, kLongestPart = 255, kDeepest = 64;

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
