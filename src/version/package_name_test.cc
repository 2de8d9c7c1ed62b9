#include "version/package_name.h"

#include <doctest/doctest.h>

using slipway::version::PackageName;

TEST_CASE("names are compared normalised") {
  for (const char* text : {"foo-bar", "Foo_Bar", "foo.bar", "FOO--__..bar"}) {
    CAPTURE(text);
    CHECK(PackageName::parse(text)->text() == "foo-bar");
  }
  CHECK(*PackageName::parse("A1") == *PackageName::parse("a1"));
  CHECK(*PackageName::parse("a") < *PackageName::parse("b"));
}

TEST_CASE("what is no name") {
  for (const char* text :
       {"", "-", "-a", "a-", "_a", "a.", "a b", "a/b", "../a", "a\xc3\xa4", "a\n"}) {
    CAPTURE(text);
    CHECK_FALSE(PackageName::parse(text).ok());
  }
}
