#include "version/lenient.h"

#include <doctest/doctest.h>

using namespace slipway::version;

TEST_CASE("specifiers of the past") {
  const std::pair<const char*, const char*> cases[] = {
      {">=3.6.*", ">=3.6"},
      {"<3.11.*,>=3.6.*", "<3.11,>=3.6"},
      {"!=3.0*,>=2.7", "!=3.0.*,>=2.7"},
      {"==3*", "==3.*"},
      {">=3.6 <4", ">=3.6,<4"},
      {">=3.6<4", ">=3.6,<4"},
      {"~=3.6.*", "~=3.6"},
      {"\">=3.6.*\"", ">=3.6"},
      {">=2.7, !=3.0.*, !=3.1.*, <4.*", ">=2.7,!=3.0.*,!=3.1.*,<4"},
      {"'>=3.6'", ">=3.6"},
      // What is right stays as it is, to the letter.
      {" >=3.6,", " >=3.6,"},
      {"", ""},
      // What nobody understands too.
      {"3.6", "3.6"},
      {">=", ">="},
      {">=3.x", ">=3.x"},
      {">=3.6,nonsense", ">=3.6,nonsense"},
      {"=>3.6", "=>3.6"},
  };
  for (const auto& [text, mended] : cases) {
    CAPTURE(text);
    CHECK(mend_specifiers(text) == mended);
  }
}

TEST_CASE("requirements of the past") {
  const std::pair<const char*, const char*> cases[] = {
      {"PyYAML>=5.1.*", "pyyaml>=5.1"},
      {"numpy (>=1.7.*,<2); python_version < '3'", "numpy>=1.7,<2; python_version < \"3\""},
      {"a[x] >=1 <2 ; extra == 'y'", "a[x]>=1,<2; extra == \"y\""},
      {"a>=1", "a>=1"},
  };
  for (const auto& [text, normal] : cases) {
    CAPTURE(text);
    const auto requirement = parse_old_requirement(text);
    REQUIRE(requirement.ok());
    CHECK(requirement->text() == normal);
  }
  for (const char* text : {"", "a>=x.*", "a>=1.*; nonsense", "a b", "(>=1.*)", "a>=1.*)"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_old_requirement(text).ok());
    CHECK(parse_old_requirement(text).error().message == parse_requirement(text).error().message);
  }
}
