#include "solve/python.h"

#include <doctest/doctest.h>

#include "version/python_target.h"

namespace slipway::solve {
namespace {

std::vector<version::Version> versions(std::initializer_list<const char*> texts) {
  std::vector<version::Version> result;
  for (const char* text : texts) result.push_back(*version::Version::parse(text));
  return result;
}

}  // namespace

TEST_CASE("selecting versions") {
  const auto list = versions({"2.0rc1", "1.5", "1.0"});
  const auto select = [&](const char* text) {
    return select_versions(*version::SpecifierSet::parse(text), list);
  };
  CHECK(select(">=1.5").matches == std::vector<bool>{true, true, false});
  CHECK_FALSE(select(">=1.5").wants_prereleases);
  CHECK(select(">=1.5rc1").wants_prereleases);
  CHECK_FALSE(select("<2.0.dev0").wants_prereleases);
  CHECK(select("==1.5").is_pin);
  CHECK_FALSE(select("==1.*").is_pin);
}

TEST_CASE("requirements of a package and of its extras") {
  std::vector<version::Requirement> all;
  for (const char* text :
       {"a>=1", "b[x,y]<2; python_version > '3'", "c; extra == 'more'", "d; os_name == 'nt'",
        "e; extra == 'other'", "f; extra == 'more' or os_name == 'posix'"}) {
    all.push_back(*version::parse_requirement(text));
  }
  const auto environment = version::marker_environment({}, "3.11.2");
  CHECK(*applicable_requirements(all, environment, "") ==
        std::vector<Requirement>{{{"a", ""}, ">=1"},
                                 {{"b", ""}, "<2"},
                                 {{"b", "x"}, "<2"},
                                 {{"b", "y"}, "<2"},
                                 {{"f", ""}, ""}});
  CHECK(*applicable_requirements(all, environment, "more") ==
        std::vector<Requirement>{{{"c", ""}, ""}});
  all.push_back(*version::parse_requirement("g @ https://host.invalid/g.whl"));
  CHECK(applicable_requirements(all, environment, "").error().kind == ErrorKind::Unsupported);
}

}  // namespace slipway::solve
