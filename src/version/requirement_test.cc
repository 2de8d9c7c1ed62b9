#include "version/requirement.h"

#include <doctest/doctest.h>

using slipway::version::parse_requirement;

TEST_CASE("requirements and their normal form") {
  const std::pair<const char*, const char*> cases[] = {
      {"Foo.Bar", "foo-bar"},
      {" foo >= 1.0 , <2 ", "foo>=1.0,<2"},
      {"foo (>=1.0)", "foo>=1.0"},
      {"foo[ B_c , a,a ]==1", "foo[a,b-c]==1"},
      {"foo[]", "foo"},
      {"foo;python_version<'3'", "foo; python_version < \"3\""},
      {"foo[a]~=1.0 ; extra == 'x' and os_name=='posix'",
       "foo[a]~=1.0; extra == \"x\" and os_name == \"posix\""},
      {"foo @ https://host.invalid/foo;1.whl ; extra == 'x'",
       "foo @ https://host.invalid/foo;1.whl ; extra == \"x\""},
      {"foo@file:///x.whl", "foo @ file:///x.whl"},
      {"nvidia-cublas-cu12==12.4.5.8; platform_system == \"Linux\" and platform_machine == "
       "\"x86_64\"",
       "nvidia-cublas-cu12==12.4.5.8; platform_system == \"Linux\" and platform_machine == "
       "\"x86_64\""},
  };
  for (const auto& [text, normal] : cases) {
    CAPTURE(text);
    const auto requirement = parse_requirement(text);
    REQUIRE(requirement.ok());
    CHECK(requirement->text() == normal);
    CHECK(parse_requirement(normal)->text() == normal);
  }
}

TEST_CASE("what is no requirement") {
  for (const char* text : {"", "-foo", "foo-", "foo bar", "foo[", "foo[a", "foo[a b]", "foo[a,]",
                           "foo>=", "foo (>=1", "foo @", "foo;", "foo; bogus == '1'", "foo>=1 bar",
                           "foo 1.0", "foo @ https://x.invalid y", "foo\xc3\xa4", "foo>=1.0.*"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_requirement(text).ok());
  }
}
