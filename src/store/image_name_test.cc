#include "store/image_name.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::store;

TEST_CASE("image names are read by the grammar of the distribution spec") {
  struct Case {
    std::string text;
    ImageName name;
  };
  const Case cases[] = {
      {"pytorch-cuda:2.6", {"", "pytorch-cuda", "2.6"}},
      {"x", {"", "x", "latest"}},
      {"team/x:tag", {"", "team/x", "tag"}},
      {"x/a.b_c__d---e/0", {"", "x/a.b_c__d---e/0", "latest"}},
      {"x:_A.b-C", {"", "x", "_A.b-C"}},
      {"localhost/x", {"localhost", "x", "latest"}},
      {"localhost:5000/a/b:c", {"localhost:5000", "a/b", "c"}},
      {"Reg-1.Example:443/x", {"Reg-1.Example:443", "x", "latest"}},
      {"10.0.0.1/x:1", {"10.0.0.1", "x", "1"}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto name = parse_image_name(c.text);
    REQUIRE(name.ok());
    CHECK(*name == c.name);
    CHECK(parse_image_name(name->text()).value() == *name);
  }
}

TEST_CASE("what is no image name is refused") {
  const std::string cases[] = {"",
                               ":",
                               "x:",
                               ":x",
                               "X",
                               "x/",
                               "/x",
                               "x//y",
                               "x/../y",
                               "..",
                               ".x",
                               "x.",
                               "-x",
                               "x-",
                               "a..b",
                               "a___b",
                               "a._b",
                               "x:.a",
                               "x:-a",
                               "x:a/b",
                               "x:a:b",
                               "x y",
                               "x\n",
                               std::string("x\0y", 3),
                               "é",
                               "x:é",
                               "x@y",
                               "host.:5000/x",
                               "-host.x/y",
                               "host:port/x",
                               "host:/x",
                               "host:123456/x",
                               "a.b/",
                               "..../x",
                               "./x",
                               "../x",
                               "a-.b/x",
                               "x:" + std::string(129, 'a'),
                               std::string(256, 'a')};
  for (const std::string& text : cases) {
    CAPTURE(text);
    const auto name = parse_image_name(text);
    REQUIRE_FALSE(name.ok());
    CHECK(name.error().kind == ErrorKind::InvalidInput);
  }
  CHECK(parse_image_name("a.b").ok());
  CHECK(parse_image_name("x:" + std::string(128, 'a')).ok());
}

TEST_CASE("a reference may end in a digest") {
  const std::string digest = sha256("x").text();
  const auto reference = parse_image_reference("team/x:1@" + digest);
  REQUIRE(reference.ok());
  CHECK(reference->name == ImageName{"", "team/x", "1"});
  CHECK(reference->digest == sha256("x"));
  CHECK_FALSE(parse_image_reference("x").value().digest.has_value());
  for (const std::string text : {"x@", "x@sha256:1", "x@md5:aa", "@", "x@a@b"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_image_reference(text).ok());
  }
  CHECK_FALSE(parse_image_reference("x@" + sha256("x").hex()).ok());
}
