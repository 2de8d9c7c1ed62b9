#include "cdi/yaml.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::cdi;

namespace {

/// The tree as one line: `{a: 1, b: ['x', null]}`.
std::string shown(const YamlNode& node) {
  if (node.is_null()) return "null";
  if (node.kind == YamlNode::Kind::Scalar) {
    return node.style == YamlNode::Style::Quoted ? "'" + node.text + "'" : node.text;
  }
  std::string text;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) text += ", ";
    if (node.kind == YamlNode::Kind::Table) text += node.keys[i] + ": ";
    text += shown(node.items[i]);
  }
  return node.kind == YamlNode::Kind::Table ? "{" + text + "}" : "[" + text + "]";
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

}  // namespace

TEST_CASE("YAML and JSON become a tree") {
  const struct {
    const char* text;
    const char* expected;
  } cases[] = {
      {"a: 1\nb:\n- x\n- \"y\"\n", "{a: 1, b: [x, 'y']}"},
      {"{\"a\": [1, null, \"null\"], \"b\": {}}", "{a: [1, null, 'null'], b: {}}"},
      {"---\na: ~\n...\n---\nsecond: document\n", "{a: null}"},
      {"text", "text"},
      {"a: !!str 5", "{a: '5'}"},
      {"a: !!int 5", "{a: 5}"},
      {"a: |\n  two\n  lines\n", "{a: 'two\nlines\n'}"},
      {"a: &one [1, 2]\nb: *one", "{a: [1, 2], b: [1, 2]}"},
      {"a: &one {x: 1, y: 2}\nb: {<<: *one, y: 3}", "{a: {x: 1, y: 2}, b: {y: 3, x: 1}}"},
      {"b: {<<: [{x: 1}, {x: 2, z: 3}]}", "{b: {x: 1, z: 3}}"},
      {"b: {\"<<\": 1}", "{b: {<<: 1}}"},
      {"# only\na: 1 # comments", "{a: 1}"},
  };
  for (const auto& one : cases) {
    INFO(one.text);
    const auto node = parse_yaml(one.text);
    REQUIRE(node.ok());
    CHECK(shown(*node) == one.expected);
  }
  CHECK(parse_yaml("a: 1\n\nb: [2]\n")->items[1].line == 3);
}

TEST_CASE("texts that are refused") {
  const struct {
    std::string text;
    const char* expected;
  } cases[] = {
      {"", "nothing in it"},
      {"# nothing", "nothing in it"},
      {"a: [1", "line 2: did not find expected ',' or ']'"},
      {"a: 1\n\tb: 2", "line 2"},
      {"a: 1\na: 2", "line 2: `a` is there twice"},
      {"{[1]: 2}", "a key is no text"},
      {"a: *one", "`*one` names nothing before it"},
      {"a: &one [*one]", "`*one` names nothing before it"},
      {"a: !other 1", "the tag `!other` means nothing here"},
      {"a: !!binary aGk=", "means nothing here"},
      {"a: {<<: 1}", "`<<` needs a table"},
      {"a: {<<: [1]}", "`<<` needs a table"},
      {"a: \"\\0\"", "a text holds a zero byte"},
      {"a: \xff", "line"},
      {nested(40), "nested too deeply"},
      {nested(100000), "nested too deeply"},
  };
  for (const auto& one : cases) {
    INFO(one.text.substr(0, 60));
    const auto node = parse_yaml(one.text);
    REQUIRE_FALSE(node.ok());
    CHECK(node.error().kind == ErrorKind::InvalidInput);
    INFO(node.error().message);
    CHECK(node.error().message.find(one.expected) != std::string::npos);
  }
}

TEST_CASE("aliases of aliases do not fill the memory") {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 10; ++j) text += fmt::format("{}*a{}", j > 0 ? ", " : "", i - 1);
    text += "]\n";
  }
  const auto node = parse_yaml(text);
  REQUIRE_FALSE(node.ok());
  CHECK(node.error().message.find("too large with its aliases followed") != std::string::npos);
}
