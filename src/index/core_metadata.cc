#include "index/core_metadata.h"

#include <algorithm>
#include <cctype>

namespace slipway::index {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

/// Takes the next line off `text`, without its end.
std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void take_field(CoreMetadata& metadata, std::string_view field, std::string value) {
  if (equals_ignoring_case(field, "Name")) {
    metadata.name = std::move(value);
  } else if (equals_ignoring_case(field, "Version")) {
    metadata.version = std::move(value);
  } else if (equals_ignoring_case(field, "Requires-Python")) {
    metadata.requires_python = std::move(value);
  } else if (equals_ignoring_case(field, "Requires-Dist")) {
    if (!value.empty()) metadata.requires_dist.push_back(std::move(value));
  } else if (equals_ignoring_case(field, "Provides-Extra")) {
    if (!value.empty()) metadata.provides_extra.push_back(std::move(value));
  }
}

bool is_folded(std::string_view rest) {
  return !rest.empty() && (rest.front() == ' ' || rest.front() == '\t');
}

}  // namespace

Result<CoreMetadata> parse_core_metadata(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  CoreMetadata metadata;
  while (!text.empty()) {
    const auto line = next_line(text);
    if (line.empty()) break;
    const auto colon = line.find(':');
    std::string value(colon == std::string_view::npos ? "" : trim(line.substr(colon + 1)));
    while (is_folded(text)) {
      const auto more = trim(next_line(text));
      if (more.empty()) continue;
      if (!value.empty()) value += ' ';
      value += more;
    }
    if (colon != std::string_view::npos) {
      take_field(metadata, trim(line.substr(0, colon)), std::move(value));
    }
  }
  if (metadata.name.empty() || metadata.version.empty()) {
    return make_error(ErrorKind::Corrupt, "the METADATA has no `{}`",
                      metadata.name.empty() ? "Name" : "Version");
  }
  return metadata;
}

}  // namespace slipway::index
