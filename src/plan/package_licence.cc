#include "plan/package_licence.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

namespace slipway::plan {
namespace {

/// SPDX identifiers; no comparison minds upper or lower case (SPDX 2.3, annex D).
constexpr std::string_view kIdentifiers[] = {
    "0bsd",      "apache-2.0", "bsd-1-clause",  "bsd-2-clause", "bsd-3-clause",
    "bsl-1.0",   "cc0-1.0",    "hpnd",          "isc",          "mit",
    "mit-0",     "mit-cmu",    "ncsa",          "psf-2.0",      "python-2.0",
    "unlicense", "zlib",       "blueoak-1.0.0", "postgresql"};

/// What follows `License :: OSI Approved :: `.
constexpr std::string_view kClassifiers[] = {"apache software license",
                                             "bsd license",
                                             "boost software license 1.0 (bsl-1.0)",
                                             "isc license (iscl)",
                                             "mit license",
                                             "mit no attribution license (mit-0)",
                                             "python software foundation license",
                                             "the unlicense (unlicense)",
                                             "zlib/libpng license"};

/// The License field as people wrote it before PEP 639, besides identifiers.
constexpr std::string_view kSpellings[] = {"apache 2",
                                           "apache 2.0",
                                           "apache license 2.0",
                                           "apache license, version 2.0",
                                           "apache license version 2.0",
                                           "apache software license",
                                           "apache software license 2.0",
                                           "bsd",
                                           "bsd 2-clause license",
                                           "bsd 3-clause license",
                                           "bsd 3-clause",
                                           "bsd license",
                                           "bsd-3",
                                           "isc license",
                                           "mit license",
                                           "new bsd",
                                           "new bsd license",
                                           "the mit license"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_on(std::span<const std::string_view> list, std::string_view text) {
  return std::ranges::find(list, lower(text)) != list.end();
}

/// Every name in it, whether they are joined by AND or OR; exceptions (WITH) are not known.
bool allows(std::string_view expression) {
  bool has_names = false;
  while (!expression.empty()) {
    const std::size_t begin = expression.find_first_not_of(" ()");
    if (begin == std::string_view::npos) break;
    expression.remove_prefix(begin);
    const std::string_view word = expression.substr(0, expression.find_first_of(" ()"));
    expression.remove_prefix(word.size());
    const std::string name = lower(word);
    if (name == "and" || name == "or") continue;
    if (!is_on(kIdentifiers, name)) return false;
    has_names = true;
  }
  return has_names;
}

struct LicenceFields {
  std::string expression, field;
  std::vector<std::string> classifiers;
};

/// The header of METADATA: up to the first empty line; of a field in several lines the first.
LicenceFields read_fields(std::string_view metadata) {
  LicenceFields fields;
  while (!metadata.empty()) {
    const std::size_t end = metadata.find('\n');
    std::string_view line = metadata.substr(0, end);
    metadata = end == std::string_view::npos ? "" : metadata.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;
    const auto value = [&](std::string_view key) -> std::string_view {
      return line.starts_with(key) ? line.substr(key.size()) : std::string_view();
    };
    if (const auto text = value("License-Expression: "); !text.empty()) fields.expression = text;
    if (const auto text = value("License: "); !text.empty() && text != "UNKNOWN")
      fields.field = text;
    if (const auto text = value("Classifier: License :: "); !text.empty())
      fields.classifiers.emplace_back(text);
  }
  return fields;
}

bool is_allowed_classifier(std::string_view text) {
  constexpr std::string_view kOsi = "OSI Approved :: ";
  return text.starts_with(kOsi) && is_on(kClassifiers, text.substr(kOsi.size()));
}

/// `License :: OSI Approved` alone says nothing.
bool says_something(std::string_view text) { return text != "OSI Approved"; }

}  // namespace

PackageLicence read_licence(std::string_view metadata) {
  LicenceFields fields = read_fields(metadata);
  if (!fields.expression.empty()) return {fields.expression, allows(fields.expression)};
  std::erase_if(fields.classifiers, [](const std::string& one) { return !says_something(one); });
  if (!fields.classifiers.empty()) {
    const bool all = std::ranges::all_of(fields.classifiers, is_allowed_classifier);
    // Texts of whole licences stand in the field too: the classifier is the shorter word.
    std::string text = fmt::format("{}", fmt::join(fields.classifiers, ", "));
    for (std::size_t at; (at = text.find("OSI Approved :: ")) != std::string::npos;)
      text.erase(at, 16);
    return {!all && !fields.field.empty() ? fields.field : text, all};
  }
  const bool is_known = is_on(kSpellings, fields.field) || allows(fields.field);
  return {fields.field, is_known};
}

}  // namespace slipway::plan
