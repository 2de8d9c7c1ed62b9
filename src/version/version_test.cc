#include "version/version.h"

#include <doctest/doctest.h>

using slipway::version::Version;

namespace {
Version make(std::string_view text) {
  auto version = Version::parse(text);
  INFO(text);
  REQUIRE(version.ok());
  return *version;
}
}  // namespace

TEST_CASE("spellings and their normal form") {
  const std::pair<const char*, const char*> cases[] = {
      {"1.0", "1.0"},
      {" v1.0 ", "1.0"},
      {"V01.002", "1.2"},
      {"0!1.0", "1.0"},
      {"2!1.0", "2!1.0"},
      {"1.0alpha", "1.0a0"},
      {"1.0-ALPHA.1", "1.0a1"},
      {"1.0_beta_02", "1.0b2"},
      {"1.0c3", "1.0rc3"},
      {"1.0pre", "1.0rc0"},
      {"1.0.preview-4", "1.0rc4"},
      {"1.0a.", "1.0a0"},
      {"1.0a.-1", "1.0a0.post1"},
      {"1.0-1", "1.0.post1"},
      {"1.0rev2", "1.0.post2"},
      {"1.0-r.3", "1.0.post3"},
      {"1.0post", "1.0.post0"},
      {"1.0dev", "1.0.dev0"},
      {"1.0_DEV-7", "1.0.dev7"},
      {"1!2.3rc4.post5.dev6+Cu124.007-a_b", "1!2.3rc4.post5.dev6+cu124.7.a.b"},
      {"1+000", "1+0"},
      {"1+123456789012345678901234567890", "1+123456789012345678901234567890"},
      {"18446744073709551615", "18446744073709551615"},
  };
  for (const auto& [text, normal] : cases) {
    CAPTURE(text);
    CHECK(make(text).text() == normal);
    CHECK(make(normal) == make(text));
  }
}

TEST_CASE("what is no version") {
  for (const char* text : {"",
                           " ",
                           "v",
                           "a",
                           "1.",
                           ".1",
                           "1..2",
                           "1!",
                           "!1",
                           "1!2!3",
                           "1.0x",
                           "1.0+",
                           "1.0+a..b",
                           "1.0+a.",
                           "1.0+-a",
                           "1.0a1b2",
                           "1.0.dev1.post1",
                           "1.0--1",
                           "1.*",
                           "1 .0",
                           "-1",
                           "1.0+ä",
                           "18446744073709551616",
                           "1.0a99999999999999999999",
                           "1.0\n.1"}) {
    CAPTURE(text);
    const auto version = Version::parse(text);
    CHECK_FALSE(version.ok());
    if (!version) CHECK(version.error().kind == slipway::ErrorKind::InvalidInput);
  }
}

TEST_CASE("PEP 440 order: all pairs of a sorted list") {
  const char* const sorted[] = {"0",
                                "1.dev0",
                                "1.0.dev456",
                                "1.0a0.dev1",
                                "1.0a1",
                                "1.0a2.dev456",
                                "1.0a12.dev456",
                                "1.0a12",
                                "1.0b1.dev456",
                                "1.0b2",
                                "1.0b2.post345.dev456",
                                "1.0b2.post345",
                                "1.0rc1.dev456",
                                "1.0rc1",
                                "1.0",
                                "1.0+abc.5",
                                "1.0+abc.7",
                                "1.0+b",
                                "1.0+5",
                                "1.0+5.a",
                                "1.0+5.1",
                                "1.0+10",
                                "1.0+123456789012345678901234567890",
                                "1.0.post0.dev1",
                                "1.0.post0",
                                "1.0.post456.dev34",
                                "1.0.post456",
                                "1.0.1",
                                "1.1.dev1",
                                "1.2",
                                "1.2.0.1",
                                "1.10",
                                "2023.4",
                                "1!0.1",
                                "1!1.0",
                                "2!0"};
  for (const char* const& a : sorted) {
    for (const char* const& b : sorted) {
      CAPTURE(a);
      CAPTURE(b);
      CHECK((make(a) <=> make(b)) == (&a <=> &b));
    }
  }
}

TEST_CASE("trailing zeros do not count") {
  CHECK(make("1") == make("1.0.0"));
  CHECK(make("0") == make("0.0"));
  CHECK(make("1.0rc1") == make("1rc1"));
  CHECK(make("1.0.1") != make("1.1"));
}

TEST_CASE("what a version is") {
  CHECK(make("1.0a1").is_prerelease());
  CHECK(make("1.0.dev1").is_prerelease());
  CHECK(make("1.0.post1.dev1").is_prerelease());
  CHECK_FALSE(make("1.0.post1").is_prerelease());
  CHECK(make("1.0+cpu").has_local());
  CHECK(make("1.0+cpu").without_local().text() == "1.0");
  CHECK(make("2!1.0rc1.post2+x").base().text() == "2!1.0");
  CHECK(make("1.0.post2+x").first_dev().text() == "1.0.post2.dev0");
}
