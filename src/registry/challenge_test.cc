#include "registry/challenge.h"

#include <doctest/doctest.h>

using namespace slipway::registry;

TEST_CASE("challenge: what registries write") {
  struct Case {
    std::string header;
    std::vector<Challenge> expected;
  };
  const Case cases[] = {
      {"", {}},
      {"Basic realm=\"a\"", {{"basic", {{"realm", "a"}}}}},
      {"Bearer realm=\"https://x/token\",service=\"x\",scope=\"repository:a:pull,push\"",
       {{"bearer",
         {{"realm", "https://x/token"}, {"service", "x"}, {"scope", "repository:a:pull,push"}}}}},
      {"bearer Realm = \"a\\\"b\" , service=x",
       {{"bearer", {{"realm", "a\"b"}, {"service", "x"}}}}},
      {"Basic realm=\"a\", Bearer realm=\"b\"",
       {{"basic", {{"realm", "a"}}}, {"bearer", {{"realm", "b"}}}}},
      {"Negotiate, Basic realm=a", {{"negotiate", {}}, {"basic", {{"realm", "a"}}}}},
      {"Bearer realm=\"open", {{"bearer", {}}}},
      {"realm=\"nobody's\"", {}},
      {",,", {}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.header);
    CHECK(parse_challenges(one.header) == one.expected);
  }
}
