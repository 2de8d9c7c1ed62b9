#include "plan/binary_versions.h"

#include <algorithm>

namespace slipway::plan {
namespace {

constexpr std::size_t kMostVersions = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::vector<std::string> find_python_versions(std::string_view bytes) {
  std::vector<std::string> versions;
  constexpr std::string_view kStart("\0003.", 3);
  for (std::size_t at = bytes.find(kStart); at != std::string_view::npos;
       at = bytes.find(kStart, at + 1)) {
    const std::size_t end = bytes.find('\0', at + 1);
    if (end == std::string_view::npos) break;
    std::string_view text = bytes.substr(at + 1, end - at - 1);
    if (text.size() > 24) continue;
    if (text.ends_with('+')) text.remove_suffix(1);  // a build from between two releases
    std::size_t i = 2;
    const auto skip_digits = [&] {
      const std::size_t start = i;
      while (i < text.size() && is_digit(text[i])) ++i;
      return i > start;
    };
    if (!skip_digits() || i >= text.size() || text[i++] != '.' || !skip_digits()) continue;
    if (i < text.size()) {  // a1, b2, rc3
      i += text.substr(i).starts_with("rc") ? 2 : text[i] == 'a' || text[i] == 'b' ? 1 : 0;
      if (!skip_digits() || i != text.size()) continue;
    }
    versions.emplace_back(text);
    if (versions.size() >= kMostVersions) break;
  }
  std::ranges::sort(versions);
  versions.erase(std::unique(versions.begin(), versions.end()), versions.end());
  return versions;
}

std::string find_header_version(std::string_view text) {
  constexpr std::string_view kMark = "PY_VERSION";
  for (std::size_t at = text.find(kMark); at != std::string_view::npos;
       at = text.find(kMark, at + 1)) {
    const std::size_t quote = text.find_first_not_of(" \t", at + kMark.size());
    if (quote == std::string_view::npos || text[quote] != '"') continue;
    const std::size_t end = std::min(text.find('"', quote + 1), text.size());
    std::string literal(1, '\0');
    literal += text.substr(quote + 1, end - quote - 1);
    literal += '\0';
    const auto found = find_python_versions(literal);
    return found.empty() ? "" : found.front();
  }
  return {};
}

std::string find_glibc_version(std::string_view bytes) {
  constexpr std::string_view kBanner = "GNU C Library", kMark = "release version ";
  const std::size_t banner = bytes.find(kBanner);
  if (banner == std::string_view::npos) return {};
  std::string_view line = bytes.substr(banner, std::min<std::size_t>(bytes.size() - banner, 200));
  line = line.substr(0, line.find('\n'));
  const std::size_t at = line.find(kMark);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + kMark.size());
  std::string_view version = line.substr(0, line.find_first_not_of("0123456789."));
  while (version.ends_with('.')) version.remove_suffix(1);
  return std::string(version);
}

}  // namespace slipway::plan
