#include "version/tag_set.h"

#include <doctest/doctest.h>

using slipway::version::parse_wheel_file_name;
using slipway::version::PythonTarget;
using slipway::version::TagSet;

namespace {
std::optional<int> rank(const PythonTarget& target, const std::string& tags) {
  const auto wheel = parse_wheel_file_name("a-1-" + tags + ".whl");
  INFO(tags);
  REQUIRE(wheel.ok());
  return TagSet::for_target(target).rank(*wheel);
}
}  // namespace

TEST_CASE("wheels in the order in which installers prefer them") {
  const char* const sorted[] = {
      "cp311-cp311-manylinux_2_36_x86_64",
      "cp311-cp311-manylinux_2_17_x86_64",
      "cp311-cp311-manylinux2014_x86_64",
      "cp311-cp311-manylinux_2_12_x86_64",
      "cp311-cp311-manylinux2010_x86_64",
      "cp311-cp311-manylinux_2_5_x86_64",
      "cp311-cp311-manylinux1_x86_64",
      "cp311-cp311-linux_x86_64",
      "cp311-abi3-manylinux_2_17_x86_64",
      "cp311-none-manylinux_2_17_x86_64",
      "cp310-abi3-manylinux_2_17_x86_64",
      "cp37-abi3-manylinux_2_17_x86_64",
      "cp32-abi3-manylinux_2_17_x86_64",
      "py311-none-manylinux_2_17_x86_64",
      "py3-none-manylinux_2_17_x86_64",
      "py310-none-manylinux_2_17_x86_64",
      "py30-none-manylinux_2_17_x86_64",
      "cp311-none-any",
      "py311-none-any",
      "py3-none-any",
      "py30-none-any",
  };
  for (std::size_t i = 1; i < std::size(sorted); ++i) {
    CAPTURE(sorted[i]);
    REQUIRE(rank({}, sorted[i]).has_value());
    CHECK(*rank({}, sorted[i - 1]) < *rank({}, sorted[i]));
  }
  CHECK(rank({}, "py2.py3-none-any") == rank({}, "py3-none-any"));
  CHECK(rank({}, "cp311-cp311-manylinux1_x86_64.manylinux_2_17_x86_64") ==
        rank({}, "cp311-cp311-manylinux_2_17_x86_64"));
}

TEST_CASE("what does not fit") {
  for (const char* tags :
       {"cp312-cp312-manylinux_2_17_x86_64", "cp310-cp310-manylinux_2_17_x86_64",
        "cp312-abi3-manylinux_2_17_x86_64", "cp31-abi3-linux_x86_64", "cp311-cp311t-linux_x86_64",
        "cp311-cp311-manylinux_2_37_x86_64", "cp311-cp311-manylinux_2_4_x86_64",
        "cp311-cp311-manylinux_2_17_aarch64", "cp311-cp311-musllinux_1_2_x86_64",
        "cp311-cp311-win_amd64", "cp311-cp311-macosx_11_0_x86_64", "py2-none-any", "py312-none-any",
        "pp311-pypy311_pp73-manylinux_2_17_x86_64", "cp311-cp311-any", "py3-abi3-any"}) {
    CAPTURE(tags);
    CHECK_FALSE(rank({}, tags).has_value());
  }
}

TEST_CASE("other targets") {
  const PythonTarget arm{3, 9, "aarch64", 2, 28};
  CHECK(rank(arm, "cp39-cp39-manylinux_2_28_aarch64").has_value());
  CHECK(rank(arm, "cp39-cp39-manylinux2014_aarch64").has_value());
  // manylinux1 and manylinux2010 know only Intel's architectures.
  CHECK_FALSE(rank(arm, "cp39-cp39-manylinux2010_aarch64").has_value());
  CHECK_FALSE(rank(arm, "cp39-cp39-manylinux_2_12_aarch64").has_value());
  CHECK_FALSE(rank(arm, "cp39-cp39-manylinux_2_29_aarch64").has_value());
  const PythonTarget old{3, 8, "x86_64", 2, 12};
  CHECK(rank(old, "cp38-cp38-manylinux2010_x86_64").has_value());
  CHECK_FALSE(rank(old, "cp38-cp38-manylinux2014_x86_64").has_value());
}
