#include "spec/registries_conf.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::spec;

TEST_CASE("registries.conf: search, aliases, places") {
  RegistriesConf conf = parse_registries_conf(R"(
unqualified-search-registries = ["first.example", "second.example"]
short-name-mode = "enforcing"
[aliases]
"debian" = "first.example/library/debian"
[[registry]]
location = "plain.example:5000"
insecure = true
[[registry]]
prefix = "named.example/team"
location = "real.example/x"
[[registry.mirror]]
location = "mirror.example"
[[registry]]
prefix = "*.blocked.example"
blocked = true
)",
                                              "registries.conf")
                            .value();
  CHECK(conf.search == std::vector<std::string>{"first.example", "second.example"});
  CHECK(conf.aliases.at("debian") == "first.example/library/debian");
  struct Case {
    const char* name;
    const char* prefix;
    const char* moved;
  };
  for (const Case& one :
       {Case{"plain.example:5000/a", "plain.example:5000", "plain.example:5000/a"},
        Case{"named.example/team/a", "named.example/team", "real.example/x/a"},
        Case{"named.example/teams/a", "", ""}, Case{"plain.example/a", "", ""},
        Case{"x.blocked.example/a", "*.blocked.example", "x.blocked.example/a"}}) {
    CAPTURE(one.name);
    const KnownRegistry* const found = conf.find(one.name);
    CHECK((found == nullptr ? "" : found->prefix) == one.prefix);
    if (found != nullptr) CHECK(relocate(*found, one.name) == one.moved);
  }
  conf.merge(parse_registries_conf("[[registry]]\nlocation = \"plain.example:5000\"", "x").value());
  CHECK(conf.find("plain.example:5000/a")->insecure == Insecure::No);
  CHECK(!parse_registries_conf("not toml", "x").ok());
  CHECK(parse_registries_conf("registry = 1\naliases = []", "x").value() == RegistriesConf{});
}
