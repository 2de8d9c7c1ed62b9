#include "base/utc_time.h"

#include <doctest/doctest.h>

using namespace slipway;

TEST_CASE("times of RFC 3339, and dates") {
  struct Case {
    const char* text;
    const char* normal;
  };
  for (const Case& one : {
           Case{"2025-01-31T12:34:56Z", "2025-01-31T12:34:56Z"},
           Case{"2025-01-31", "2025-01-31T00:00:00Z"},
           Case{"2025-01-31 12:34:56z", "2025-01-31T12:34:56Z"},
           Case{"2025-01-31t12:34:56.1Z", "2025-01-31T12:34:56.100Z"},
           Case{"2025-01-31T12:34:56.123999Z", "2025-01-31T12:34:56.123Z"},
           Case{"2025-01-31T12:34:56.000999Z", "2025-01-31T12:34:56Z"},
           Case{"2025-01-01T00:30:00+01:00", "2024-12-31T23:30:00Z"},
           Case{"2024-02-29T23:59:60-00:30", "2024-03-01T00:30:00Z"},
           Case{"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"},
           Case{"9999-12-31", "9999-12-31T00:00:00Z"},
       }) {
    CAPTURE(one.text);
    const auto time = parse_utc_time(one.text);
    REQUIRE(time.ok());
    CHECK(utc_time_text(*time) == one.normal);
    CHECK(parse_utc_time(one.normal).value() == *time);
  }
  CHECK(parse_utc_time("1970-01-01T00:00:01.002Z")->time_since_epoch().count() == 1002);
}

TEST_CASE("what is no date is refused") {
  for (const char* text : {"",
                           "2025",
                           "2025-1-31",
                           "2025-02-29",
                           "2025-13-01",
                           "2025-00-10",
                           "2025-01-00",
                           "2025-01-31T",
                           "2025-01-31T12:34:56",
                           "2025-01-31T12:34Z",
                           "2025-01-31T24:00:00Z",
                           "2025-01-31T12:60:00Z",
                           "2025-01-31T12:34:56.Z",
                           "2025-01-31T12:34:56+1:00",
                           "2025-01-31T12:34:56Z ",
                           " 2025-01-31",
                           "2025/01/31",
                           "yesterday",
                           "-025-01-31",
                           "2025-01-31T12:34:56+24:00",
                           "9999-12-31T23:59:59-00:01",
                           "0000-01-01T00:00:00+00:01",
                           "20250131"}) {
    CAPTURE(text);
    const auto time = parse_utc_time(text);
    REQUIRE_FALSE(time.ok());
    CHECK(time.error().kind == ErrorKind::InvalidInput);
  }
}
