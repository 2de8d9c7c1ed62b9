#include "spec/host_config.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::spec;

TEST_CASE("a host says where its indexes are") {
  const auto config = parse_host_config(R"(
[index.pypi]
url = "https://mirror.example/simple/"
[index.debian]
url = "http://mirror.example/debian"
snapshot = "https://old.example/debian/"
[index.debian-security]
snapshot = ["https://old.example/security", "file:///srv/old"]
[bundle]
folders = ["/srv/bundle", "~/bundle"]
[registry]
default = "registry.example/team"
insecure = ["lab.example:5000"]
)",
                                        "config.toml");
  REQUIRE(config.ok());
  HostConfig expected;
  expected.indexes["pypi"] = {"https://mirror.example/simple", {}};
  expected.indexes["debian"] = {"http://mirror.example/debian", {"https://old.example/debian"}};
  expected.indexes["debian-security"] = {"", {"https://old.example/security", "file:///srv/old"}};
  expected.bundles = {"/srv/bundle", "~/bundle"};
  expected.default_registry = "registry.example/team";
  expected.insecure_registries = {"lab.example:5000"};
  CHECK(*config == expected);
  CHECK(parse_host_config("", "config.toml").value() == HostConfig{});
}

TEST_CASE("mistakes in it are told at their place") {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const Case& c : {
           Case{"[index.pypi]\nurl = \"mirror\"",
                "config.toml:2:7: `index.pypi.url`: `mirror` is not a URL"},
           Case{"[index.pypi]\nurls = \"x\"",
                "config.toml:2:1: `index.pypi.urls` is not a known key"},
           Case{"[index]\npypi = \"x\"", "config.toml:2:8: `index.pypi` has to be a table"},
           Case{"[index.\"../x\"]", "config.toml:1:8: `index`: `../x` is not a name"},
           Case{"[bundle]\nfolders = [\"here\"]", "`bundle.folders[0]`: `here` is not absolute"},
           Case{"[bundel]\n", "config.toml:1:2: `bundel` is not a known key"},
           Case{"[index.debian]\nsnapshot = 5",
                "`index.debian.snapshot` has to be a list of strings"},
       }) {
    CAPTURE(c.text);
    const auto config = parse_host_config(c.text, "config.toml");
    REQUIRE_FALSE(config.ok());
    CHECK(config.error().kind == ErrorKind::InvalidInput);
    CHECK_MESSAGE(config.error().message.find(c.message) != std::string::npos,
                  config.error().message);
  }
}
