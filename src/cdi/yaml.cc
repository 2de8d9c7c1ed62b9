#include "cdi/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace slipway::cdi {
namespace {

constexpr int kMostDepth = 32;  // a specification has six
constexpr std::size_t kMostWeight = 16U << 20U;

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event); }
  std::size_t line() const { return event.start_mark.line + 1; }
  yaml_event_t event{};
};

class Parser {
 public:
  explicit Parser(std::string_view text) {
    SLIPWAY_CHECK(yaml_parser_initialize(&parser_) == 1);  // fails without memory alone
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() { yaml_parser_delete(&parser_); }

  Result<void> next(Event& event) {
    if (yaml_parser_parse(&parser_, &event.event) == 1) return {};
    return make_error(ErrorKind::InvalidInput, "line {}: {}", parser_.problem_mark.line + 1,
                      parser_.problem != nullptr ? parser_.problem : "this is no YAML");
  }

 private:
  yaml_parser_t parser_{};
};

Error at_line(std::size_t line, std::string_view what) {
  return make_error(ErrorKind::InvalidInput, "line {}: {}", line, what);
}

std::string text_of(const yaml_char_t* text) {
  return text != nullptr ? reinterpret_cast<const char*>(text) : "";
}

Result<void> check_tag(const yaml_char_t* tag, std::size_t line) {
  static constexpr std::array<std::string_view, 5> kKnown{"!", YAML_STR_TAG, YAML_INT_TAG,
                                                          YAML_SEQ_TAG, YAML_MAP_TAG};
  if (tag == nullptr || std::ranges::find(kKnown, text_of(tag)) != kKnown.end()) return {};
  return at_line(line, fmt::format("the tag `{}` means nothing here", text_of(tag)));
}

/// Memory, roughly.
std::size_t weight_of(const YamlNode& node) {
  std::size_t weight = 64 + node.text.size();
  for (const std::string& key : node.keys) weight += key.size();
  for (const YamlNode& item : node.items) weight += weight_of(item);
  return weight;
}

class Builder {
 public:
  explicit Builder(std::string_view text) : parser_(text) {}

  Result<YamlNode> document() {
    for (const yaml_event_type_t expected : {YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT}) {
      Event event;
      TRY(parser_.next(event));
      if (event.event.type != expected) return at_line(1, "there is nothing in it");
    }
    Event first;
    TRY(parser_.next(first));
    YamlNode root = TRY(node(first, 0));
    // What follows must be readable as far as the end of this document.
    Event end;
    TRY(parser_.next(end));
    return root;
  }

 private:
  Result<YamlNode> node(const Event& event, int depth) {
    if (depth > kMostDepth) return at_line(event.line(), "this is nested too deeply");
    YamlNode made;
    made.line = event.line();
    std::string anchor;
    switch (event.event.type) {
      case YAML_ALIAS_EVENT:
        return aliased(event);
      case YAML_SCALAR_EVENT:
        anchor = text_of(event.event.data.scalar.anchor);
        TRY(fill_scalar(event, made));
        break;
      case YAML_SEQUENCE_START_EVENT:
        anchor = text_of(event.event.data.sequence_start.anchor);
        TRY(check_tag(event.event.data.sequence_start.tag, made.line));
        TRY(fill_list(made, depth));
        break;
      default:
        SLIPWAY_CHECK(event.event.type == YAML_MAPPING_START_EVENT);
        anchor = text_of(event.event.data.mapping_start.anchor);
        TRY(check_tag(event.event.data.mapping_start.tag, made.line));
        TRY(fill_table(made, depth));
    }
    if (!anchor.empty()) {
      TRY(count(weight_of(made), made.line));
      anchors_[anchor] = made;
    }
    return made;
  }

  Result<YamlNode> aliased(const Event& event) {
    const std::string name = text_of(event.event.data.alias.anchor);
    // An alias within what it names is not known yet, so nothing can hold itself.
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      return at_line(event.line(), fmt::format("`*{}` names nothing before it", name));
    }
    TRY(count(weight_of(found->second), event.line()));
    return found->second;
  }

  Result<void> fill_scalar(const Event& event, YamlNode& made) {
    const auto& scalar = event.event.data.scalar;
    TRY(check_tag(scalar.tag, made.line));
    made.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
    const bool is_text = scalar.tag != nullptr && text_of(scalar.tag) != YAML_INT_TAG;
    if (scalar.style != YAML_PLAIN_SCALAR_STYLE || is_text) made.style = YamlNode::Style::Quoted;
    if (made.text.find('\0') != std::string::npos) {
      return at_line(made.line, "a text holds a zero byte");
    }
    return count(64 + made.text.size(), made.line);
  }

  Result<void> fill_list(YamlNode& made, int depth) {
    made.kind = YamlNode::Kind::List;
    TRY(count(64, made.line));
    while (true) {
      Event event;
      TRY(parser_.next(event));
      if (event.event.type == YAML_SEQUENCE_END_EVENT) return {};
      made.items.push_back(TRY(node(event, depth + 1)));
    }
  }

  Result<void> fill_table(YamlNode& made, int depth) {
    made.kind = YamlNode::Kind::Table;
    TRY(count(64, made.line));
    std::vector<YamlNode> merged;
    std::set<std::string> known;
    while (true) {
      Event key_event;
      TRY(parser_.next(key_event));
      if (key_event.event.type == YAML_MAPPING_END_EVENT) break;
      YamlNode key = TRY(node(key_event, depth + 1));
      if (key.kind != YamlNode::Kind::Scalar) return at_line(key.line, "a key is no text");
      Event value_event;
      TRY(parser_.next(value_event));
      YamlNode value = TRY(node(value_event, depth + 1));
      if (key.text == "<<" && key.style == YamlNode::Style::Plain) {
        merged.push_back(std::move(value));
        continue;
      }
      if (!known.insert(key.text).second) {
        return at_line(key.line, fmt::format("`{}` is there twice", key.text));
      }
      made.keys.push_back(std::move(key.text));
      made.items.push_back(std::move(value));
    }
    for (const YamlNode& other : merged) TRY(merge(made, other, known));
    return {};
  }

  /// YAML's `<<: *other`: what the table does not say itself.
  Result<void> merge(YamlNode& made, const YamlNode& other, std::set<std::string>& known) {
    if (other.kind == YamlNode::Kind::List) {
      for (const YamlNode& one : other.items) {
        if (one.kind != YamlNode::Kind::Table) return at_line(one.line, "`<<` needs a table");
        TRY(merge(made, one, known));
      }
      return {};
    }
    if (other.kind != YamlNode::Kind::Table) return at_line(other.line, "`<<` needs a table");
    for (std::size_t i = 0; i < other.keys.size(); ++i) {
      if (!known.insert(other.keys[i]).second) continue;
      TRY(count(weight_of(other.items[i]) + other.keys[i].size(), made.line));
      made.keys.push_back(other.keys[i]);
      made.items.push_back(other.items[i]);
    }
    return {};
  }

  Result<void> count(std::size_t weight, std::size_t line) {
    weight_ += weight;
    if (weight_ <= kMostWeight) return {};
    return at_line(line, "this is too large with its aliases followed");
  }

  Parser parser_;
  std::map<std::string, YamlNode> anchors_;
  std::size_t weight_ = 0;
};

}  // namespace

bool YamlNode::is_null() const {
  static constexpr std::array<std::string_view, 5> kNulls{"", "~", "null", "Null", "NULL"};
  return kind == Kind::Scalar && style == Style::Plain &&
         std::ranges::find(kNulls, text) != kNulls.end();
}

Result<YamlNode> parse_yaml(std::string_view text) { return Builder(text).document(); }

}  // namespace slipway::cdi
