#include "plan/os_release.h"

#include <algorithm>

namespace slipway::plan {

std::string os_release_word(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != '=') continue;
    line.remove_prefix(key.size() + 1);
    const bool is_quoted =
        line.size() >= 2 && (line.front() == '"' || line.front() == '\'') && line.back() == line[0];
    return std::string(is_quoted ? line.substr(1, line.size() - 2) : line);
  }
  return {};
}

std::string os_name(std::string_view text) {
  const std::string name = os_release_word(text, "ID");
  std::string version = os_release_word(text, "VERSION_ID");
  if (version.empty()) version = os_release_word(text, "VERSION_CODENAME");
  std::string text_of_both = version.empty() ? name : name + " " + version;
  // It goes into the lock: what is no word there is left out.
  std::erase_if(text_of_both, [](char c) { return c < ' ' || c >= 0x7f; });
  return text_of_both;
}

}  // namespace slipway::plan
