// Text of absurd length and depth: refused at once, with a message that people can read.
#include <doctest/doctest.h>

#include "version/marker.h"
#include "version/python_target.h"
#include "version/requirement.h"
#include "version/wheel_file_name.h"

using namespace slipway;
using namespace slipway::version;

namespace {

std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

std::string nested(std::size_t depth) {
  return repeated("(", depth) + "os_name == 'posix'" + repeated(")", depth);
}

template <typename T>
void check_refused(const Result<T>& result, std::string_view part) {
  CAPTURE(part);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().kind == ErrorKind::InvalidInput);
  std::string told = result.error().message;
  for (const std::string& line : result.error().because) told += "\n" + line;
  CHECK(told.size() < 400);
  CHECK_MESSAGE(told.find(part) != std::string::npos, told);
}

}  // namespace

TEST_CASE("versions of absurd length") {
  for (const std::string& text :
       std::vector<std::string>{repeated("9", 1000000), "1" + repeated(".0", 1000000),
                                "1+" + repeated("a.", 1000000) + "b", "99999999999999999999!1",
                                "1.0rc99999999999999999999", repeated("v", 1000000)}) {
    check_refused(Version::parse(text), "is not a version");
    check_refused(Specifier::parse("==" + text), "is not a version specifier");
    check_refused(parse_wheel_file_name("a-" + text + "-py3-none-any.whl"), "is not");
  }
  check_refused(SpecifierSet::parse(repeated(">=1,", 1000000)), "too long");
  check_refused(Specifier::parse("===" + repeated("a", 1000000)), "too long");
  // The longest that is read is a version like any other.
  const std::string longest = "1" + repeated(".0", 511);
  CHECK(Version::parse(longest).value() == Version::parse("1").value());
  CHECK(SpecifierSet::parse(">=" + longest).value().contains(*Version::parse("1.0")));
}

TEST_CASE("markers of absurd depth and length") {
  check_refused(Marker::parse(nested(10000)), "nested too deep");
  check_refused(parse_requirement("a; " + nested(10000)), "nested too deep");
  check_refused(Marker::parse(nested(1000000)), "too long");
  check_refused(Marker::parse(repeated("(", 10000)), "nested too deep");
  check_refused(Marker::parse("os_name == '" + repeated("a", 1000000) + "'"), "too long");
  const MarkerEnvironment environment = marker_environment({}, "3.11.2");
  CHECK(Marker::parse(nested(60)).value().evaluate(environment, {}));
  // Wide is not deep.
  const auto wide = Marker::parse(repeated("os_name == 'nt' or ", 3000) + "os_name == 'posix'");
  REQUIRE(wide.ok());
  CHECK(wide->evaluate(environment, {}));
  CHECK(Marker::parse(wide->text()).value() == *wide);
}

TEST_CASE("requirements and names of absurd length") {
  check_refused(parse_requirement("a[" + repeated("x,", 1000000) + "x]"), "too long");
  check_refused(parse_requirement(repeated("a", 1000000)), "too long");
  check_refused(parse_requirement("a @ " + repeated("u", 1000000)), "too long");
  check_refused(parse_requirement("a>=1" + repeated(" ", 1000000) + "x"), "too long");
  check_refused(parse_requirement(repeated("[", 10000)), "is not a requirement");
  check_refused(PackageName::parse(repeated("a", 1000) + "!"), "is not a package name");
  CHECK(parse_requirement("a[" + repeated("x,", 1000) + "x]").value().extras.size() == 1);
}

TEST_CASE("what a message quotes is cut between two characters") {
  const std::string text = repeated("é", 500);
  const std::string message = Version::parse(text).error().message;
  CHECK(message == "`" + repeated("é", 50) + "…` is not a version");
  CHECK(Version::parse("x" + text).error().message ==
        "`x" + repeated("é", 49) + "…` is not a version");
}
