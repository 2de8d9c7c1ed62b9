#include "http/url.h"

#include <doctest/doctest.h>

namespace slipway::http {

TEST_CASE("a URL comes apart") {
  const auto parts = parse_url("HTTPS://me:s3cret@Host.Example:8443/simple/a%20b/?x=1#frag");
  REQUIRE(parts.ok());
  CHECK(parts.value().scheme == "https");
  CHECK(parts.value().user_info == "me:s3cret");
  CHECK(parts.value().authority == "host.example:8443");
  CHECK(parts.value().path == "/simple/a%20b/");
  CHECK(parts.value().query == "?x=1");
  CHECK(url_origin(parts.value()) == "https://host.example:8443");
  CHECK(parse_url("http://h").value().path == "/");
  CHECK(url_origin(parse_url("http://h:80/x").value()) == "http://h");
}

TEST_CASE("what is no http URL is refused") {
  for (const char* text : {"", "/x", "ftp://h/x", "file:///etc/passwd", "http:", "http:/x",
                           "http://", "http:///x", "http://h/a b", "http://h/a\nb", "://h"}) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_url(text).ok());
    CHECK(parse_url(text).error().kind == ErrorKind::InvalidInput);
  }
}

TEST_CASE("references resolve as RFC 3986 says") {
  constexpr const char* kBase = "http://u:p@h/a/b/c?q";
  const std::pair<const char*, const char*> cases[] = {
      {"g", "http://h/a/b/g"},
      {"./g", "http://h/a/b/g"},
      {"g/", "http://h/a/b/g/"},
      {"/g", "http://h/g"},
      {"//x/g", "http://x/g"},
      {"?y", "http://h/a/b/c?y"},
      {"g?y#s", "http://h/a/b/g?y"},
      {"", "http://h/a/b/c?q"},
      {".", "http://h/a/b/"},
      {"..", "http://h/a/"},
      {"../g", "http://h/a/g"},
      {"../../g", "http://h/g"},
      {"../../../g", "http://h/g"},
      {"/./g", "http://h/g"},
      {"/../g", "http://h/g"},
      {"g;x=1/../y", "http://h/a/b/y"},
      {"https://x/y", "https://x/y"},
      {"https://me:pw@x/y", "https://x/y"},
      {"../../files/x.whl#sha256=00", "http://h/files/x.whl"},
  };
  for (const auto& [reference, expected] : cases) {
    CAPTURE(reference);
    const auto resolved = resolve_url(kBase, reference);
    REQUIRE(resolved.ok());
    CHECK(resolved.value() == expected);
  }
  for (const char* bad : {"file:///etc/passwd", "javascript:1", "a b", "http://"}) {
    CAPTURE(bad);
    CHECK_FALSE(resolve_url(kBase, bad).ok());
  }
}

TEST_CASE("passwords go, names come out decoded") {
  CHECK(without_credentials("https://u:p@h/x@y") == "https://h/x@y");
  CHECK(without_credentials("https://h/x@y") == "https://h/x@y");
  CHECK(without_credentials("https://u:p@a@h") == "https://h");
  CHECK(without_credentials("nonsense") == "nonsense");
  CHECK(url_file_name("https://h/a/torch-2.6.0%2Bcu124.whl?x#y") == "torch-2.6.0+cu124.whl");
  CHECK(percent_decode("%4") == "%4");
  CHECK(percent_decode("%zz%41%") == "%zzA%");
  const auto error = parse_url("ftp://me:s3cret@h/");
  CHECK(error.error().message.find("s3cret") == std::string::npos);
}

}  // namespace slipway::http
