#include "index/debian_installed.h"

#include <algorithm>

#include "index/debian_text.h"

namespace slipway::index {
namespace {

std::string_view first_line(std::string_view text) {
  return trimmed(text.substr(0, text.find('\n')));
}

void take_source(std::string_view text, InstalledDeb& deb) {
  const SourcePackage source = parse_source(text);
  deb.source = source.name;
  deb.source_version = source.version;
}

void add_relations(std::string_view text, std::vector<std::vector<std::string>>& into) {
  parse_relations(text, [&](const std::vector<Relation>& alternatives) {
    std::vector<std::string> names;
    for (const Relation& one : alternatives) names.emplace_back(one.name);
    into.push_back(std::move(names));
  });
}

void take_status_field(std::string_view name, std::string_view value, InstalledDeb& deb,
                       std::string_view& status) {
  if (same_field(name, "Package")) deb.name = first_line(value);
  if (same_field(name, "Status")) status = value;
  if (same_field(name, "Version")) deb.version = first_line(value);
  if (same_field(name, "Architecture")) deb.architecture = first_line(value);
  if (same_field(name, "Source")) take_source(value, deb);
  if (same_field(name, "Maintainer")) deb.maintainer = first_line(value);
  if (same_field(name, "Homepage")) deb.homepage = first_line(value);
  if (same_field(name, "Description")) deb.summary = first_line(value);
  if (same_field(name, "Depends") || same_field(name, "Pre-Depends"))
    add_relations(value, deb.depends);
  if (same_field(name, "Provides")) {
    std::vector<std::vector<std::string>> provided;
    add_relations(value, provided);
    for (const std::vector<std::string>& one : provided)
      deb.provides.insert(deb.provides.end(), one.begin(), one.end());
  }
}

/// Its address has moved over the years; its last part has not, since the drafts named dep5.
bool is_known_format(std::string_view value) {
  return value.find("copyright-format") != std::string_view::npos ||
         value.find("dep5") != std::string_view::npos ||
         value.find("DEP5") != std::string_view::npos;
}

/// A text as it was meant: each line without its first blank, ` .` an empty one.
std::string unfolded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with(' ')) line.remove_prefix(1);
    out += line == "." ? "" : line;
    out += '\n';
  }
  return out;
}

}  // namespace

std::vector<InstalledDeb> parse_installed_debs(std::string_view text) {
  std::vector<InstalledDeb> debs;
  for (;;) {
    InstalledDeb deb;
    std::string_view status = "installed";
    const bool is_paragraph =
        next_paragraph(text, [&](std::string_view name, std::string_view value) {
          take_status_field(name, value, deb, status);
        });
    if (!is_paragraph) return debs;
    const auto words = words_of(status);
    const bool is_installed = !words.empty() && words.back() == "installed";
    if (is_installed && !deb.name.empty() && !deb.version.empty()) debs.push_back(std::move(deb));
  }
}

DebianCopyright parse_debian_copyright(std::string_view text) {
  DebianCopyright copyright;
  bool is_first = true, is_of_files = false;
  std::string short_name;
  const auto take = [&](std::string_view name, std::string_view value) {
    if (is_first && (same_field(name, "Format") || same_field(name, "Format-Specification")))
      copyright.is_machine_readable = is_known_format(value);
    if (same_field(name, "Files")) is_of_files = true;
    if (!same_field(name, "License")) return;
    short_name = first_line(value);
    const std::size_t end = value.find('\n');
    const std::string_view body = end == std::string_view::npos ? "" : value.substr(end + 1);
    if (!short_name.empty() && !trimmed(body).empty())
      copyright.texts.emplace(short_name, unfolded(body));
  };
  while (next_paragraph(text, take)) {
    if (!copyright.is_machine_readable) return {};
    // A paragraph of a licence alone gives the text of what others name.
    if (!short_name.empty() && (is_first || is_of_files)) copyright.licences.push_back(short_name);
    is_first = is_of_files = false;
    short_name.clear();
  }
  std::ranges::sort(copyright.licences);
  copyright.licences.erase(std::unique(copyright.licences.begin(), copyright.licences.end()),
                           copyright.licences.end());
  return copyright;
}

}  // namespace slipway::index
