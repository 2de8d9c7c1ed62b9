#include "spec/fleet.h"

#include <doctest/doctest.h>

namespace slipway::spec {
namespace {

TEST_CASE("hosts of a fleet") {
  const auto hosts = parse_fleet(
      "[[host]]\nname = \"a\"\ngpu = \"h100\"\ndriver = \"550\"\n"
      "[[host]]\nname = \"b\"\ngpu = [\"v100\", \"sm_90\"]\nglibc = \"2.28\"\n"
      "cuda-compat = \"12.8\"\n",
      "fleet.toml");
  REQUIRE(hosts.ok());
  CHECK(*hosts == std::vector<FleetHost>{{"a", {"h100"}, "550", ""},
                                         {"b", {"v100", "sm_90"}, "", "2.28", "12.8"}});
}

TEST_CASE("mistakes in a fleet are told, all of them") {
  const auto bad = parse_fleet(
      "[[host]]\ngpu = \"h100\"\n[[host]]\nname = \"a\"\n[[host]]\nname = \"a\"\ngpus = \"x\"\n",
      "fleet.toml");
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().kind == ErrorKind::InvalidInput);
  CHECK(bad.error().because.size() >= 4);
  for (const char* text :
       {"", "host = 1", "[host]\nname = \"a\"", "[[hosts]]\nname = \"a\"", "\x01"})
    CHECK(parse_fleet(text, "fleet.toml").error().kind == ErrorKind::InvalidInput);
}

}  // namespace
}  // namespace slipway::spec
