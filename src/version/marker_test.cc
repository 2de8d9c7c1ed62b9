#include "version/marker.h"

#include <doctest/doctest.h>

#include "version/python_target.h"

using slipway::version::Marker;

TEST_CASE("markers hold or not, on Python 3.11.2 of Linux on x86_64") {
  struct Case {
    const char* marker;
    const char* extra;
    bool holds;
  };
  const Case cases[] = {
      {"python_version >= '3.9'", "", true},
      {"python_version < '3.9'", "", false},  // as text, 3.11 would be below 3.9
      {"'3.9' <= python_version", "", true},
      {"python_version == '3.*'", "", true},
      {"python_version ~= '3.8'", "", true},
      {"python_version === '3.11'", "", true},
      {"python_full_version < '3.11.4'", "", true},
      {"python_full_version > '3.11'", "", true},
      {"python_version in '3.10 3.11'", "", true},
      {"python_version not in '2.7 3.10'", "", true},
      {"python_version > '3.*'", "", false},
      {"python_version == 'abc'", "", false},
      {"platform_release >= '4.0'", "", false},  // unknown in an image
      {"sys_platform == 'linux'", "", true},
      {"sys_platform == \"win32\"", "", false},
      {"'linux' in sys_platform", "", true},
      {"'win' not in sys_platform", "", true},
      {"sys_platform < 'zzz'", "", false},  // texts have no order
      {"sys_platform >= 'linux'", "", true},
      {"sys_platform ~= 'linux'", "", false},
      {"os.name == 'posix' and platform.machine == 'x86_64'", "", true},
      {"sys.platform == 'linux' and platform.python_implementation == 'CPython'", "", true},
      {"python_implementation == 'CPython' and implementation_name == 'cpython'", "", true},
      {"platform_system == 'Linux' and platform_python_implementation != 'PyPy'", "", true},
      {"implementation_version >= '3.11'", "", true},
      {"os_name == 'nt' or os_name == 'posix' and python_version < '3'", "", false},
      {"(os_name == 'nt' or os_name == 'posix') and python_version > '3'", "", true},
      {"((os_name=='posix'))", "", true},
      {"extra == 'test'", "", false},
      {"extra == 'test'", "test", true},
      {"extra == 'Te.St_A'", "te-st-a", true},
      {"'test' == extra", "test", true},
      {"extra != 'test'", "test", false},
      {"extra != 'test'", "", true},
      {"python_version > '3' and extra == 'test'", "other", false},
  };
  const auto environment = slipway::version::marker_environment({}, "3.11.2");
  for (const Case& c : cases) {
    CAPTURE(c.marker);
    const auto marker = Marker::parse(c.marker);
    REQUIRE(marker.ok());
    std::vector<std::string> extras;
    if (*c.extra != '\0') extras.emplace_back(c.extra);
    CHECK(marker->evaluate(environment, extras) == c.holds);
    const auto again = Marker::parse(marker->text());
    REQUIRE(again.ok());
    CHECK(*again == *marker);
  }
}

TEST_CASE("one spelling for what means the same") {
  const std::pair<const char*, const char*> cases[] = {
      {"os.name=='posix'", "os_name == \"posix\""},
      {"(os_name == 'a' and (os_name == 'b'))and os_name == 'c'",
       "os_name == \"a\" and os_name == \"b\" and os_name == \"c\""},
      {"(os_name=='a' or os_name=='b') and extra=='x'",
       "(os_name == \"a\" or os_name == \"b\") and extra == \"x\""},
      {"'\"' not  in platform_version", "'\"' not in platform_version"},
  };
  for (const auto& [text, normal] : cases) CHECK(Marker::parse(text)->text() == normal);
  CHECK(Marker::parse("extra == 'x' and os_name == 'a'")->mentions_extra());
  CHECK_FALSE(Marker::parse("os_name == 'extra'")->mentions_extra());
}

TEST_CASE("what is no marker") {
  for (const char* text :
       {"", "python_version", "python_version >=", "python_version = '3'", "bogus == '3'",
        "'a' == 'b'", "python_version == '3", "(os_name == 'a'", "os_name == 'a')",
        "os_name == 'a' and", "os_name == 'a' os_name == 'b'", "os_name not 'a'",
        "os_name == 'a' andor os_name == 'b'", "os_name == posix", "python_versions == '3'"}) {
    CAPTURE(text);
    CHECK_FALSE(Marker::parse(text).ok());
  }
  const std::string deep(100000, '(');
  CHECK_FALSE(Marker::parse(deep).ok());
}
