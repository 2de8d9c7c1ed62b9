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

/// Fields of which the last counts, and fields that gather.
void take_field(CoreMetadata& metadata, std::string_view field, std::string value) {
  const std::pair<std::string_view, std::string*> kSingle[] = {
      {"Name", &metadata.name},
      {"Version", &metadata.version},
      {"Requires-Python", &metadata.requires_python},
      {"Summary", &metadata.summary},
      {"Home-page", &metadata.homepage},
      {"License-Expression", &metadata.licence_expression},
      {"License", &metadata.licence}};
  for (const auto& [name, into] : kSingle) {
    if (equals_ignoring_case(field, name)) *into = std::move(value);
  }
  if (value.empty()) return;
  if (equals_ignoring_case(field, "Requires-Dist")) {
    metadata.requires_dist.push_back(std::move(value));
  } else if (equals_ignoring_case(field, "Provides-Extra")) {
    metadata.provides_extra.push_back(std::move(value));
  } else if (equals_ignoring_case(field, "Classifier") && value.starts_with("License ::")) {
    metadata.classifiers.push_back(std::move(value));
  } else if (equals_ignoring_case(field, "Author") || equals_ignoring_case(field, "Author-email")) {
    if (metadata.author.empty()) metadata.author = std::move(value);
  } else if (equals_ignoring_case(field, "Project-URL") && metadata.homepage.empty()) {
    const std::size_t comma = value.find(',');
    if (comma != std::string::npos && equals_ignoring_case(value.substr(0, comma), "homepage"))
      metadata.homepage = trim(std::string_view(value).substr(comma + 1));
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
    const bool keeps_lines = colon != std::string_view::npos &&
                             equals_ignoring_case(trim(line.substr(0, colon)), "License");
    while (is_folded(text)) {
      const auto more = trim(next_line(text));
      if (more.empty()) continue;
      if (!value.empty()) value += keeps_lines ? '\n' : ' ';
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
