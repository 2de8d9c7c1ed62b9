#include "cli/age.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <utility>

using namespace slipway;

TEST_CASE("ages: what people write, and what is none") {
  for (const auto& [text, minutes] :
       std::initializer_list<std::pair<const char*, long>>{{"0d", 0},
                                                           {"45m", 45},
                                                           {"12h", 720},
                                                           {"30d", 43200},
                                                           {"2w", 20160},
                                                           {"36525d", 52596000}}) {
    CAPTURE(text);
    REQUIRE(cli::parse_age(text).ok());
    CHECK(cli::parse_age(text)->count() == minutes);
  }
  for (const char* text : {"", "d", "30", "30 d", "-1d", "+1d", "1.5d", "1d2h", "30days", "36526d",
                           "99999999999999999999d", "9223372036854775807w", "1y"}) {
    CAPTURE(text);
    REQUIRE(!cli::parse_age(text).ok());
    CHECK(cli::parse_age(text).error().kind == ErrorKind::InvalidInput);
  }
}
