#include "cdi/spec.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::cdi;

namespace {

/// A specification of one device with these edits, in YAML's flow style.
std::string with_edits(std::string_view edits, std::string_view version = "1.1.0") {
  return fmt::format(
      "cdiVersion: \"{}\"\nkind: vendor.com/class\ndevices:\n- name: one\n  containerEdits: {}\n",
      version, edits);
}

std::string named(std::string_view name, std::string_view version = "1.1.0") {
  return fmt::format(
      "cdiVersion: {}\nkind: v.com/c\ndevices: [{{name: \"{}\", containerEdits: {{env: [A=b]}}}}]",
      version, name);
}

}  // namespace

TEST_CASE("every field is read") {
  const auto spec = parse_spec(R"(---
cdiVersion: "1.1.0"
kind: vendor.com/net.card
annotations: {a: b}
containerEdits:
  env: [ALL=1]
devices:
- name: "0:1"
  annotations: {c: "5"}
  containerEdits:
    env: [ONE=a=b, TWO=]
    deviceNodes:
    - {path: /dev/x, hostPath: /dev/y, type: c, major: 10, minor: 0x1f, fileMode: 0660,
       permissions: rw, uid: 0, gid: 44}
    - {path: /dev/z}
    mounts:
    - {hostPath: /a, containerPath: /b, options: [ro, bind], type: bind}
    hooks:
    - {hookName: createContainer, path: /bin/h, args: [h, go], env: [X=1], timeout: 5}
    additionalGids: [44, 992]
    netDevices: [{hostInterfaceName: eth1, name: net0}]
    intelRdt: {closID: a, l3CacheSchema: b, memBwSchema: c, schemata: [d], enableMonitoring: true}
)");
  REQUIRE(spec.ok());
  CHECK(spec->version == "1.1.0");
  CHECK(spec->kind == "vendor.com/net.card");
  CHECK(spec->annotations.at("a") == "b");
  CHECK(spec->edits.environment == std::vector<std::string>{"ALL=1"});
  REQUIRE(spec->devices.size() == 1);
  const Device& device = spec->devices[0];
  CHECK(device.name == "0:1");
  CHECK(device.annotations.at("c") == "5");
  const Edits expected{{"ONE=a=b", "TWO="},
                       {{"/dev/x", "/dev/y", "c", 10, 31, 0660, 0, 44, "rw"},
                        {"/dev/z", "", "", 0, 0, {}, {}, {}, ""}},
                       {{"eth1", "net0"}},
                       {{"createContainer", "/bin/h", {"h", "go"}, {"X=1"}, 5}},
                       {{"/a", "/b", {"ro", "bind"}, "bind"}},
                       IntelRdt{"a", "b", "c", std::vector<std::string>{"d"}, true},
                       {44, 992}};
  CHECK(device.edits == expected);
}

TEST_CASE("what spoils a file") {
  const struct {
    const char* name;
    std::string text;
    const char* expected;
  } cases[] = {
      {"nothing", "", "nothing in it"},
      {"null", "~", "nothing in it"},
      {"a list", "[1]", "line 1: a table is needed here"},
      {"no version", "kind: a.b/c", "`cdiVersion` is none that is known: ``"},
      {"a version to come", with_edits("{env: [A=b]}", "1.2.0"), "none that is known: `1.2.0`"},
      {"a version before", with_edits("{env: [A=b]}", "0.2.0"), "what CDI 0.3.0 brought"},
      {"unknown field", with_edits("{envv: [A=b]}"),
       "line 5: `envv` is no field of containerEdits"},
      {"unknown on top", "cdiversion: 1.0.0", "`cdiversion` is no field of a CDI specification"},
      {"no edits", with_edits("{}"), "the device `one` does nothing"},
      {"null edits", with_edits("~"), "the device `one` does nothing"},
      {"empty lists", with_edits("{env: [], mounts: []}"), "the device `one` does nothing"},
      {"no devices", "cdiVersion: 1.0.0\nkind: v.com/c\ndevices: []", "it has no devices"},
      {"twice",
       "cdiVersion: 1.0.0\nkind: v.com/c\ndevices: [{name: a, containerEdits: {env: [A=b]}}, "
       "{name: a, containerEdits: {env: [A=b]}}]",
       "the device `a` is there twice"},
      {"no variable", with_edits("{env: [A]}"), "the variable `A` is no `NAME=value`"},
      {"no name", with_edits("{env: [=b]}"), "the variable `=b`"},
      {"env as text", with_edits("{env: A=b}"), "a list is needed here"},
      {"null item", with_edits("{deviceNodes: [~]}"), "something is needed here"},
      {"node without path", with_edits("{deviceNodes: [{major: 1}]}"), "has no `path`"},
      {"node's type", with_edits("{deviceNodes: [{path: /dev/x, type: d}]}"), "no known type: `d`"},
      {"permissions", with_edits("{deviceNodes: [{path: /dev/x, permissions: rx}]}"),
       "beyond `rwm`"},
      {"major as text", with_edits("{deviceNodes: [{path: /dev/x, major: \"1\"}]}"),
       "whole number"},
      {"major too large", with_edits("{deviceNodes: [{path: /d, major: 9223372036854775808}]}"),
       "whole number"},
      {"negative mode", with_edits("{deviceNodes: [{path: /d, fileMode: -1}]}"), "whole number"},
      {"gid too large", with_edits("{additionalGids: [4294967296]}"), "whole number"},
      {"mount without source", with_edits("{mounts: [{containerPath: /a}]}"), "needs a `hostPath`"},
      {"mount without target", with_edits("{mounts: [{hostPath: /a}]}"), "needs a `hostPath`"},
      {"hook's name", with_edits("{hooks: [{hookName: start, path: /a}]}"), "no hook `start`"},
      {"hook's path", with_edits("{hooks: [{hookName: prestart}]}"), "has no `path`"},
      {"hook's env", with_edits("{hooks: [{hookName: prestart, path: /a, env: [A]}]}"), "`A`"},
      {"interface", with_edits("{netDevices: [{name: a}]}"), "hostInterfaceName"},
      {"interface twice",
       with_edits(
           "{netDevices: [{hostInterfaceName: a, name: x}, {hostInterfaceName: b, name: x}]}"),
       "there twice"},
      {"class of service", with_edits("{intelRdt: {closID: a/b}}"), "can be no folder"},
      {"a key twice", with_edits("{env: [A=b], env: [A=b]}"), "`env` is there twice"},
      {"too large", std::string(2000000, ' '), "larger than"},
  };
  for (const auto& one : cases) {
    INFO(one.name);
    const auto spec = parse_spec(one.text);
    REQUIRE_FALSE(spec.ok());
    INFO(spec.error().message);
    CHECK(spec.error().kind == ErrorKind::InvalidInput);
    CHECK(spec.error().message.find(one.expected) != std::string::npos);
  }
}

TEST_CASE("a mistyped field is told with the right one") {
  const auto spec = parse_spec(with_edits("{deviceNode: []}"));
  REQUIRE_FALSE(spec.ok());
  CHECK(spec.error().hints == std::vector<std::string>{"did you mean `deviceNodes`?"});
}

TEST_CASE("each field needs the version that brought it") {
  const struct {
    const char* least;
    const char* before;
    const char* edits;
  } cases[] = {
      {"0.4.0", "0.3.0", "{mounts: [{hostPath: /a, containerPath: /a, type: bind}]}"},
      {"0.5.0", "0.4.0", "{deviceNodes: [{path: /dev/a, hostPath: /dev/b}]}"},
      {"0.7.0", "0.6.0", "{additionalGids: [1]}"},
      {"0.7.0", "0.6.0", "{intelRdt: {closID: a}}"},
      {"1.1.0", "1.0.0", "{intelRdt: {schemata: []}}"},
      {"1.1.0", "1.0.0", "{intelRdt: {enableMonitoring: yes}}"},
      {"1.1.0", "1.0.0", "{netDevices: [{hostInterfaceName: a, name: b}]}"},
  };
  for (const auto& one : cases) {
    INFO(one.edits);
    CHECK(parse_spec(with_edits(one.edits, one.least)).ok());
    CHECK(parse_spec(with_edits(one.edits, std::string("v") + one.least)).ok());
    CHECK_FALSE(parse_spec(with_edits(one.edits, one.before)).ok());
    const std::string for_all = fmt::format(
        "cdiVersion: {}\nkind: v.com/c\ncontainerEdits: {}\ndevices: [{{name: a, "
        "containerEdits: {{env: [A=b]}}}}]",
        one.before, one.edits);
    CHECK_FALSE(parse_spec(for_all).ok());
  }
  CHECK(parse_spec(named("a0", "0.3.0")).ok());
  CHECK_FALSE(parse_spec(named("0a", "0.4.0")).ok());
  CHECK(parse_spec(named("0a", "0.5.0")).ok());
}

TEST_CASE("names of devices and kinds") {
  for (const char* good : {"a", "0", "gpu0", "a-b_c.d:e", "GPU-1234"}) {
    INFO(good);
    CHECK(parse_spec(named(good)).ok());
    CHECK(parse_qualified_name(std::string("v.com/c=") + good).ok());
  }
  for (const char* bad : {"", "-a", "a-", "a b", "a/b", "a=b", "\xc3\xa4"}) {
    INFO(bad);
    CHECK_FALSE(parse_spec(named(bad)).ok());
    CHECK_FALSE(parse_qualified_name(std::string("v.com/c=") + bad).ok());
  }
  for (const char* bad :
       {"=a", "c=a", "/c=a", "v.com/=a", "1.com/c=a", "v.com/c/d=a", "v.com/-=a"}) {
    INFO(bad);
    CHECK_FALSE(parse_qualified_name(bad).ok());
  }
  CHECK(parse_qualified_name("v.com/c=0:1")->kind == "v.com/c");
  CHECK(parse_qualified_name("v.com/c=0:1")->device == "0:1");
  CHECK(looks_qualified("v.com/c=a"));
  CHECK(looks_qualified("nonsense=a"));
  CHECK_FALSE(looks_qualified("/dev/a=b"));
  CHECK_FALSE(looks_qualified("v.com"));
}

TEST_CASE("numbers as Go reads them") {
  const struct {
    const char* text;
    std::uint32_t expected;
  } cases[] = {{"438", 438}, {"0666", 438},   {"0o666", 438}, {"0x1b6", 438},
               {"+5", 5},    {"1_000", 1000}, {"0b11", 3},    {"0", 0}};
  for (const auto& one : cases) {
    INFO(one.text);
    const auto spec = parse_spec(
        with_edits(fmt::format("{{deviceNodes: [{{path: /d, fileMode: {}}}]}}", one.text)));
    REQUIRE(spec.ok());
    CHECK(spec->devices[0].edits.nodes[0].file_mode == one.expected);
  }
}
