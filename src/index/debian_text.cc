#include "index/debian_text.h"

#include <cstring>

namespace slipway::index {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// The line at the front of `rest`, without its newline; takes it off.
std::string_view take_line(std::string_view& rest) {
  const auto* end = static_cast<const char*>(std::memchr(rest.data(), '\n', rest.size()));
  const auto length = end == nullptr ? rest.size() : static_cast<std::size_t>(end - rest.data());
  const auto line = rest.substr(0, length);
  rest.remove_prefix(end == nullptr ? length : length + 1);
  return line;
}

bool is_continuation(std::string_view rest) {
  return !rest.empty() && (rest.front() == ' ' || rest.front() == '\t');
}

}  // namespace

bool same_field(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string upstream_number(std::string_view version) {
  if (const std::size_t colon = version.find(':'); colon != std::string_view::npos) {
    version.remove_prefix(colon + 1);
  }
  return std::string(version.substr(0, version.find_first_not_of("0123456789.")));
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    std::size_t length = 0;
    while (length < text.size() && !is_blank(text[length])) ++length;
    words.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return words;
}

bool next_paragraph(std::string_view& rest,
                    const std::function<void(std::string_view, std::string_view)>& field) {
  while (!rest.empty()) {  // blank lines between paragraphs
    auto after = rest;
    if (!trimmed(take_line(after)).empty()) break;
    rest = after;
  }
  if (rest.empty()) return false;
  while (!rest.empty()) {
    const auto line = take_line(rest);
    if (trimmed(line).empty()) break;
    const auto* value_end = line.data() + line.size();
    while (is_continuation(rest)) {
      auto after = rest;
      const auto more = take_line(after);
      if (trimmed(more).empty()) break;
      value_end = more.data() + more.size();
      rest = after;
    }
    const auto colon = line.find(':');
    if (line.front() == '#' || colon == std::string_view::npos) continue;
    const auto* value = line.data() + colon + 1;
    field(trimmed(line.substr(0, colon)),
          trimmed({value, static_cast<std::size_t>(value_end - value)}));
  }
  return true;
}

SourcePackage parse_source(std::string_view text) {
  const std::size_t open = text.find('(');
  SourcePackage source{trimmed(text.substr(0, open)), {}};
  if (open == std::string_view::npos) return source;
  const std::string_view rest = text.substr(open + 1);
  source.version = trimmed(rest.substr(0, rest.find(')')));
  return source;
}

bool next_package(std::string_view& rest, PackageStanza& stanza) {
  stanza = {};
  bool any = false;
  const auto take = [](std::string_view line, std::string_view name, std::string_view& value) {
    if (line.size() <= name.size() || line[name.size()] != ':' || !line.starts_with(name)) return;
    value = trimmed(line.substr(name.size() + 1));
  };
  while (!rest.empty()) {
    const auto line = take_line(rest);
    if (line.empty()) {
      if (any) return true;
      continue;
    }
    any = true;
    switch (line.front()) {
      case 'A':
        take(line, "Architecture", stanza.architecture);
        break;
      case 'B':
        take(line, "Breaks", stanza.breaks);
        break;
      case 'C':
        take(line, "Conflicts", stanza.conflicts);
        break;
      case 'D':
        take(line, "Depends", stanza.depends);
        break;
      case 'E':
        take(line, "Essential", stanza.essential);
        break;
      case 'F':
        take(line, "Filename", stanza.file_name);
        break;
      case 'P':
        take(line, "Package", stanza.package);
        take(line, "Pre-Depends", stanza.pre_depends);
        take(line, "Priority", stanza.priority);
        take(line, "Provides", stanza.provides);
        break;
      case 'S':
        take(line, "Size", stanza.size);
        take(line, "SHA256", stanza.sha256);
        take(line, "Source", stanza.source);
        break;
      case 'V':
        take(line, "Version", stanza.version);
        break;
      default:
        break;
    }
  }
  return any;
}

}  // namespace slipway::index
