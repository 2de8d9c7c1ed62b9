#include "version/specifier.h"

#include <doctest/doctest.h>

using slipway::version::SpecifierSet;
using slipway::version::Version;

TEST_CASE("which versions a specifier holds") {
  struct Case {
    const char* specifier;
    const char* version;
    bool is_in;
  };
  const Case cases[] = {
      {"", "1.0", true},
      {"==1.0", "1.0.0", true},
      {"==1.0", "1.0+cu124", true},
      {"==1.0+cu124", "1.0", false},
      {"==1.0+cu124", "1.0+CU124", true},
      {"==1.0", "1.0.post1", false},
      {"==1.0.*", "1.0", true},
      {"==1.0.*", "1", true},
      {"==1.0.*", "1.0rc1", true},
      {"==1.0.*", "1.0.5.dev1", true},
      {"==1.0.*", "1.10", false},
      {"==1.*", "1!1.0", false},
      {"!=1.0", "1.0+x", false},
      {"!=1.0.*", "1.0.7", false},
      {"!=1.0.*", "1.1", true},
      {">=1.0", "1.0+x", true},
      {">=1.0", "1.0rc1", false},
      {"<=1.0", "1.0+x", true},
      {"<=1.0", "1.0.post1", false},
      {"<2.0", "1.9", true},
      {"<2.0", "2.0rc1", false},
      {"<2.0", "2.0.dev0", false},
      {"<2.0", "1.99rc1", true},
      {"<2.0rc1", "2.0b1", true},
      {"<1.0.post2", "1.0.dev3", true},
      {"<1.0.post2", "1.0.post2.dev1", false},
      {">1.7", "1.7.1", true},
      {">1.7", "1.7.post1", false},
      {">1.7", "1.7.0.post1", false},
      {">1.7.post1", "1.7.post2", true},
      {">1.7", "1.7+x", false},
      {">1.7", "1.7.1+x", true},
      {">9.0rc1", "9.0.post2", true},
      {">9.0rc1", "9.0rc1.post2", false},
      {"~=2.2", "2.9", true},
      {"~=2.2", "3.0", false},
      {"~=2.2.0", "2.3", false},
      {"~=2.2.post3", "2.2", false},
      {"~=2.2.post3", "2.9", true},
      {"~=2.2", "2.1", false},
      {"~=1!2.2", "2.9", false},
      {"===1.0", "1.0", true},
      {"===1.0", "1.0.0", false},
      {"===1.0+CPU", "1.0+cpu", true},
      {">=1.0,!=1.5,<2", "1.5", false},
      {">=1.0,!=1.5,<2", "1.6", true},
      {" >= 1.0 , < 2 ,", "1.6", true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.specifier);
    CAPTURE(c.version);
    const auto set = SpecifierSet::parse(c.specifier);
    REQUIRE(set.ok());
    CHECK(set->contains(*Version::parse(c.version)) == c.is_in);
    const auto again = SpecifierSet::parse(set->text());
    REQUIRE(again.ok());
    CHECK(again->text() == set->text());
  }
}

TEST_CASE("what is no specifier") {
  for (const char* text : {"1.0",       "=1.0",      "=>1.0",        "==",         "==1.0 beta x",
                           "~=1",       "~=1.*",     ">=1.*",        "<1.0+local", "~=1.0+local",
                           "==1.0+x.*", "==1.0a1.*", "==1.0.dev1.*", "===",        "===a b",
                           "==1.0;",    "<>1.0",     "==.*",         "==*",        ">=1.0 <2"}) {
    CAPTURE(text);
    CHECK_FALSE(SpecifierSet::parse(text).ok());
  }
}

TEST_CASE("pre-releases and pins") {
  const auto parse = [](const char* text) { return *SpecifierSet::parse(text); };
  CHECK(parse(">=1.0rc1").mentions_prerelease());
  CHECK(parse("==1.0.dev1").mentions_prerelease());
  CHECK(parse("===1.0b1").mentions_prerelease());
  CHECK(parse("<2,>1.0a1").mentions_prerelease());
  CHECK_FALSE(parse("!=1.0rc1").mentions_prerelease());
  CHECK_FALSE(parse(">=1.0.post1").mentions_prerelease());
  CHECK(parse("==1.0").is_pin());
  CHECK(parse("===1.0").is_pin());
  CHECK_FALSE(parse("==1.*").is_pin());
  CHECK_FALSE(parse("~=1.0").is_pin());
  CHECK(parse(" >= 1.00 ,<2").text() == ">=1.0,<2");
}
