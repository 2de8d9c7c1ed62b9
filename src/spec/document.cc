#include "spec/document.h"

#include <toml++/toml.h>

#include <algorithm>

#include "base/size_text.h"

namespace slipway::spec {
namespace {

Position position_of(const toml::source_region& region) {
  // 0 where toml++ knows no place: tables that a dotted header made on the way.
  return {std::max<std::uint32_t>(region.begin.line, 1),
          std::max<std::uint32_t>(region.begin.column, 1)};
}

Value convert(const toml::node& node);

Value convert_scalar(const toml::node& node) {
  Value value{OtherType{"a date or time"}, position_of(node.source())};
  if (const auto* text = node.as_string()) value.data = text->get();
  if (const auto* integer = node.as_integer()) value.data = integer->get();
  if (const auto* number = node.as_floating_point()) value.data = number->get();
  if (const auto* boolean = node.as_boolean()) value.data = boolean->get();
  return value;
}

Value convert(const toml::node& node) {
  if (const auto* array = node.as_array()) {
    Array list;
    for (const toml::node& item : *array) list.push_back(convert(item));
    return {std::move(list), position_of(node.source())};
  }
  if (const auto* table = node.as_table()) {
    Table copy;
    for (const auto& [key, item] : *table) {
      copy.entries.emplace(std::string(key.str()),
                           Table::Entry{position_of(key.source()), convert(item)});
    }
    return {std::move(copy), position_of(node.source())};
  }
  return convert_scalar(node);
}

/// Walks the text outside strings and comments; tells the line on which a chain of dots, or of open
/// brackets, is deeper than kMostDepth. 0: none is. It may count a few too many, never too few.
class DepthScan {
 public:
  std::uint32_t find_too_deep(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
      if (text[i] == '"' || text[i] == '\'') {
        i = skip_string(text, i);
      } else if (text[i] == '#') {
        i = std::min(text.find('\n', i), text.size());
      } else {
        count(text[i++]);
        if (dots_ > kMostDepth || open_ > kMostDepth) return line_;
      }
    }
    return 0;
  }

 private:
  void count(char c) {
    if (c == '\n') ++line_;
    if (c == '\n' || c == '=' || c == ',') dots_ = 0;
    if (c == '.') ++dots_;
    if (c == '[' || c == '{') ++open_;
    if ((c == ']' || c == '}') && open_ > 0) --open_;
  }

  /// The index after the string that starts at `start`. An end that is missing ends with the line,
  /// as it does for toml++ (which refuses the document there).
  std::size_t skip_string(std::string_view text, std::size_t start) {
    const char quote = text[start];
    const bool is_long = text.substr(start, 3) == std::string(3, quote);
    std::size_t i = start + (is_long ? 3 : 1);
    while (i < text.size()) {
      if (text[i] == '\n' && !is_long) return i;
      if (text[i] == '\n') ++line_;
      if (quote == '"' && text[i] == '\\') {
        if (i + 1 < text.size() && text[i + 1] == '\n') ++line_;
        i += 2;
      } else if (text[i] == quote && !is_long) {
        return i + 1;
      } else if (is_long && text.substr(i, 3) == std::string(3, quote)) {
        while (i < text.size() && text[i] == quote) ++i;
        return i;
      } else {
        ++i;
      }
    }
    return text.size();
  }

  std::uint32_t line_ = 1;
  std::size_t dots_ = 0;
  std::size_t open_ = 0;
};

/// toml++ speaks in sentences; ours start lower case and end without a full stop.
std::string our_style(std::string_view description) {
  std::string text(description);
  while (text.ends_with('.')) text.pop_back();
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && !(text[1] >= 'A' && text[1] <= 'Z')) {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

}  // namespace

std::string_view Value::type_name() const {
  static constexpr std::string_view kNames[] = {"a string",  "an integer", "a number",
                                                "a boolean", "a list",     "a table"};
  if (const auto* other = std::get_if<OtherType>(&data)) return other->name;
  return kNames[data.index()];
}

Result<Value> parse_document(std::string_view text, std::string_view file_name,
                             std::size_t most_bytes) {
  if (text.size() > most_bytes) {
    return make_error(ErrorKind::InvalidInput, "{}: {} is too large: at most {}", file_name,
                      size_text(text.size()), size_text(most_bytes));
  }
  if (const std::uint32_t line = DepthScan().find_too_deep(text); line != 0) {
    return make_error(ErrorKind::InvalidInput, "{}:{}:1: nested deeper than {} levels", file_name,
                      line, kMostDepth);
  }
  try {
    const toml::table table = toml::parse(text, file_name);
    return convert(table);
  } catch (const toml::parse_error& error) {
    const Position at = position_of(error.source());
    return make_error(ErrorKind::InvalidInput, "{}:{}:{}: {}", file_name, at.line, at.column,
                      our_style(error.description()))
        .hint("the file has to be TOML 1.0: text in quotes, lists in brackets");
  } catch (const std::exception& error) {
    return make_error(ErrorKind::InvalidInput, "{}:1:1: {}", file_name, error.what());
  }
}

}  // namespace slipway::spec
