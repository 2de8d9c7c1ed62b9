#include "version/wheel_file_name.h"

#include <doctest/doctest.h>

using slipway::version::parse_wheel_file_name;

TEST_CASE("the parts of a wheel's name") {
  const auto wheel = parse_wheel_file_name(
      "Torch_X-2.6.0+cu124-3a-cp311.cp310-abi3-manylinux_2_17_x86_64.manylinux2014_X86_64.whl");
  REQUIRE(wheel.ok());
  CHECK(wheel->name.text() == "torch-x");
  CHECK(wheel->version.text() == "2.6.0+cu124");
  CHECK(wheel->build->number == 3);
  CHECK(wheel->build->rest == "a");
  CHECK(wheel->pythons == std::vector<std::string>{"cp311", "cp310"});
  CHECK(wheel->abis == std::vector<std::string>{"abi3"});
  CHECK(wheel->platforms ==
        std::vector<std::string>{"manylinux_2_17_x86_64", "manylinux2014_x86_64"});
  CHECK_FALSE(parse_wheel_file_name("a-1-py3-none-any.whl")->build.has_value());
}

TEST_CASE("build tags in order") {
  const char* const sorted[] = {"0", "1", "1a", "1b", "2", "10"};
  for (const char* const& a : sorted) {
    for (const char* const& b : sorted) {
      const auto build = [](const char* tag) {
        return *parse_wheel_file_name("a-1-" + std::string(tag) + "-py3-none-any.whl")->build;
      };
      CHECK((build(a) <=> build(b)) == (&a <=> &b));
    }
  }
}

TEST_CASE("what is no wheel") {
  for (const char* name :
       {"", "a.whl", "a-1.tar.gz", "a-1-py3-none.whl", "a-1-x-py3-none-any.whl",
        "a-1-1-1-py3-none-any.whl", "a__b-1-py3-none-any.whl", "-1-py3-none-any.whl",
        "a-x.y-py3-none-any.whl", "a-1--none-any.whl", "a-1-py3..py2-none-any.whl",
        "a-1-py3-none-a/b.whl", "a-1-99999999999999999999-py3-none-any.whl",
        "../a-1-py3-none-any.whl"}) {
    CAPTURE(name);
    CHECK_FALSE(parse_wheel_file_name(name).ok());
  }
}
