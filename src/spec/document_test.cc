#include "spec/document.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::spec;

namespace {

Result<Value> parse(std::string_view text) { return parse_document(text, "a.toml", 1 << 20); }

}  // namespace

TEST_CASE("values know where they stand") {
  const Value document = parse("# one\n[image]\n  name = \"x\"\n").value();
  const auto& image = std::get<Table>(document.data).entries.at("image");
  CHECK(image.key_position == Position{2, 2});
  const auto& name = std::get<Table>(image.value.data).entries.at("name");
  CHECK(name.key_position == Position{3, 3});
  CHECK(name.value.position == Position{3, 10});
  CHECK(std::get<std::string>(name.value.data) == "x");
}

TEST_CASE("broken TOML is refused at its place") {
  struct Case {
    const char* text;
    const char* place;
  };
  for (const Case& c :
       {Case{"a = ", "a.toml:1:"}, Case{"a = 1\nb = [1, 2\n", "a.toml:"},
        Case{"a = 1\na = 2\n", "a.toml:2:"}, Case{"x = \"\xff\"\n", "a.toml:1:"},
        Case{"\n\n= 3\n", "a.toml:3:1"}, Case{"a = 99999999999999999999", "a.toml:1:"},
        Case{"[a]\n[a]\n", "a.toml:2:"}, Case{"a = '''x", "a.toml:1:"}}) {
    CAPTURE(c.text);
    const auto result = parse(c.text);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == ErrorKind::InvalidInput);
    CHECK(result.error().message.starts_with(c.place));
  }
}

TEST_CASE("a document can neither be too deep nor too large") {
  std::string dots = "a";
  for (int i = 0; i < 200'000; ++i) dots += ".a";
  const std::string brackets(100'000, '[');
  for (const std::string& text :
       {"[" + dots + "]", dots + " = 1", "x = " + brackets, "x = {" + dots + " = 1}",
        "\"\\\"\" = 1\n[\"]\"." + dots + "]", "x = \"\"\"\n\\\"\"\"\"\n" + dots + " = 1",
        "# \"\n" + dots + " = 2"}) {
    CAPTURE(text.substr(0, 20));
    const auto result = parse(text);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().message.find("deeper") != std::string::npos);
  }
  CHECK_FALSE(parse(std::string((1 << 20) + 1, '\n')).ok());
}

TEST_CASE("dots in values, comments and many lines are not depth") {
  std::string text =
      "# " + std::string(100, '.') + "\na = \"" + std::string(100, '.') + "\"\nb = [";
  for (int i = 0; i < 100; ++i) text += "1.5, ";
  text += "]\nc = '''" + std::string(100, '[') + "'''\n";
  for (int i = 0; i < 100; ++i) text += "[t.x" + std::to_string(i) + "]\n";
  CHECK(parse(text).ok());
}
