#include "index/debian_text.h"

namespace slipway::index {
namespace {

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.' ||
         (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_comparison(std::string_view text) {
  return text == "=" || text == ">=" || text == "<=" || text == ">>" || text == "<<" ||
         text == ">" || text == "<";
}

/// `(>= 2.36)` at the front of `text`, which begins with the parenthesis.
bool take_version(std::string_view& text, Relation& relation) {
  const auto close = text.find(')');
  if (close == std::string_view::npos) return false;
  auto inside = trimmed(text.substr(1, close - 1));
  std::size_t length = 0;
  while (length < inside.size() &&
         std::string_view("<>=").find(inside[length]) != std::string_view::npos) {
    ++length;
  }
  relation.comparison = inside.substr(0, length);
  relation.version = trimmed(inside.substr(length));
  text.remove_prefix(close + 1);
  return is_comparison(relation.comparison) && !relation.version.empty();
}

bool parse_relation(std::string_view text, Relation& relation) {
  relation = {};
  text = trimmed(text);
  std::size_t length = 0;
  while (length < text.size() && is_name_char(text[length])) ++length;
  relation.name = text.substr(0, length);
  if (relation.name.empty()) return false;
  text.remove_prefix(length);
  if (!text.empty() && text.front() == ':') {  // `:any`, `:amd64`: one architecture only
    do text.remove_prefix(1);
    while (!text.empty() && is_name_char(text.front()));
  }
  text = trimmed(text);
  if (!text.empty() && text.front() == '(' && !take_version(text, relation)) return false;
  return trimmed(text).empty();
}

/// The part before the first `separator`; takes it and the separator off.
std::string_view take_part(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

}  // namespace

bool parse_relations(std::string_view text,
                     const std::function<void(const std::vector<Relation>&)>& element) {
  std::vector<Relation> alternatives;
  while (!text.empty()) {
    auto part = take_part(text, ',');
    if (trimmed(part).empty()) continue;
    alternatives.clear();
    while (!part.empty()) {
      Relation relation;
      if (!parse_relation(take_part(part, '|'), relation)) return false;
      alternatives.push_back(relation);
    }
    element(alternatives);
  }
  return true;
}

}  // namespace slipway::index
