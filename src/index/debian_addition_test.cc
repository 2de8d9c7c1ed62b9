// Solving onto packages that are installed: DebianPool::add_installed.
#include <doctest/doctest.h>

#include "index/debian_pool.h"

namespace slipway::index {
namespace {

std::string offered(std::string_view name, std::string_view version, std::string_view fields = "") {
  return fmt::format(
      "Package: {0}\nVersion: {1}\nArchitecture: amd64\n{2}Filename: ./pool/{0}_{1}.deb\nSize: 7\n"
      "SHA256: {3:0>64}\n\n",
      name, version, fields, name.size());
}
std::string installed(std::string_view name, std::string_view version, std::string_view fields = "",
                      std::string_view status = "install ok installed") {
  return fmt::format("Package: {}\nStatus: {}\nVersion: {}\nArchitecture: amd64\n{}\n", name,
                     status, version, fields);
}

/// "name version" of what is added, "name old -> version" of what is upgraded, and in brackets who
/// needs it; or the error's message and reasons.
std::vector<std::string> added(const std::string& base, const std::string& archive,
                               std::vector<std::string> wishes,
                               std::vector<DebPreference> preferences = {}) {
  DebianPool pool("amd64");
  REQUIRE(pool.add_packages(archive, "debian"));
  REQUIRE(pool.add_installed(base));
  const auto files = pool.solve(wishes, preferences);
  if (!files) {
    std::vector<std::string> texts{files.error().message};
    texts.insert(texts.end(), files.error().because.begin(), files.error().because.end());
    return texts;
  }
  std::vector<std::string> texts;
  for (const auto& file : *files) {
    CHECK(file.path == fmt::format("pool/{}_{}.deb", file.package, file.version));
    texts.push_back(fmt::format(
        "{} {}{}{}", file.package, file.upgrades.empty() ? "" : file.upgrades + " -> ",
        file.version,
        file.needed_by.empty() ? "" : fmt::format(" [{}]", fmt::join(file.needed_by, " "))));
  }
  return texts;
}

TEST_CASE("what apt would add") {
  struct Case {
    const char* name;
    std::string base, archive;
    std::vector<std::string> wishes, added;
  };
  const Case cases[] = {
      {"nothing of the base where nobody asks",
       installed("a", "1"),
       offered("a", "2") + offered("e", "1", "Essential: yes\n"),
       {},
       {}},
      {"what is missing, and an installed package that will do stays as it is",
       installed("b", "1"),
       offered("a", "1", "Depends: b (>= 1), c\n") + offered("b", "2") + offered("c", "1"),
       {"a"},
       {"a 1", "c 1 [a]"}},
      {"an upgrade where a dependency wants it, to the newest",
       installed("b", "1"),
       offered("a", "1", "Depends: b (>= 2)\n") + offered("b", "2") + offered("b", "3"),
       {"a"},
       {"a 1", "b 1 -> 3 [a]"}},
      {"an upgrade brings along what depends on the old version",
       installed("b", "1") + installed("b-extra", "1", "Depends: b (= 1)\n"),
       offered("a", "1", "Depends: b (>= 2)\n") + offered("b", "2") +
           offered("b-extra", "2", "Depends: b (= 2)\n"),
       {"a"},
       {"a 1", "b 1 -> 2 [a b-extra]", "b-extra 1 -> 2 [b]"}},
      {"the newest is taken, though an older one would spare the upgrade",
       installed("b", "1"),
       offered("a", "1", "Depends: b (= 1)\n") + offered("a", "2", "Depends: b (= 2)\n") +
           offered("b", "1") + offered("b", "2"),
       {"a"},
       {"a 2", "b 1 -> 2 [a]"}},
      {"unless it cannot be had",
       installed("b", "1"),
       offered("a", "1", "Depends: b (= 1)\n") + offered("a", "2", "Depends: none\n"),
       {"a"},
       {"a 1"}},
      {"and what the new one breaks",
       installed("b", "1"),
       offered("a", "1", "Breaks: b (<< 2)\n") + offered("b", "2"),
       {"a"},
       {"a 1", "b 1 -> 2 [a]"}},
      {"what is asked for by name is taken new",
       installed("a", "1"),
       offered("a", "2"),
       {"a"},
       {"a 1 -> 2"}},
      {"unless it is new already", installed("a", "2"), offered("a", "2"), {"a"}, {}},
      {"or newer than the archive's", installed("a", "3"), offered("a", "2"), {"a"}, {}},
      {"an installed alternative satisfies",
       installed("z", "1"),
       offered("a", "1", "Depends: b | z\n") + offered("b", "1"),
       {"a"},
       {"a 1"}},
      {"what was removed and left its configuration is not installed",
       installed("b", "1", "", "deinstall ok config-files"),
       offered("a", "1", "Depends: b\n") + offered("b", "1"),
       {"a"},
       {"a 1", "b 1 [a]"}},
      {"no package is removed",
       installed("b", "1"),
       offered("a", "1", "Conflicts: b\n"),
       {"a"},
       {"the Debian packages that are asked for cannot be installed onto what is installed",
        "package a-1.amd64 conflicts with b provided by b-1.amd64",
        "b 1 is installed, and would have to go"}},
  };
  for (const auto& item : cases) {
    INFO(item.name);
    CHECK(added(item.base, item.archive, item.wishes) == item.added);
  }
}

TEST_CASE("what is installed of a source is upgraded with what is new of it") {
  const auto built_of = [](std::string_view source) { return fmt::format("Source: {}\n", source); };
  const std::string base = installed("libx", "1", built_of("x")) +
                           installed("x-doc", "1", built_of("x")) +
                           installed("y", "1", built_of("x (0.9)"));
  const std::string archive =
      offered("x", "2", "Depends: libx\n") + offered("libx", "2", built_of("x")) +
      offered("x-doc", "3", built_of("x (3)")) +
      offered("y", "7", built_of("x (2)") + "Depends: z\n") + offered("z", "1");
  const std::vector<std::string> alone{"x 2"};
  const std::vector<std::string> together{"libx 1 -> 2 [x]", "x 2", "y 1 -> 7 [libx x]", "z 1 [y]"};
  CHECK(added(base + installed("apt", "2.5.2"), archive, {"x"}) == together);
  CHECK(added(base + installed("apt", "2.13~rc1"), archive, {"x"}) == together);
  CHECK(added(base + installed("apt", "2.4.13"), archive, {"x"}) == alone);
  CHECK(added(base, archive, {"x"}) == alone);
  // On hold, or not to be had.
  CHECK(added(installed("libx", "1", built_of("x"), "hold ok installed") + installed("apt", "3"),
              archive, {"x"}) == alone);
  CHECK(added(installed("y", "1", built_of("x")) + installed("apt", "3"),
              offered("x", "2") + offered("y", "7", built_of("x (2)") + "Depends: none\n"),
              {"x"}) == alone);
  // An old lock's version of it stays, and what is of another version of the source as well.
  CHECK(added(base + installed("apt", "3"), archive + offered("x", "1"), {"x"}, {{"x", "1"}}) ==
        std::vector<std::string>{"x 1"});
}

TEST_CASE("backports are for what nobody else has") {
  DebianPool pool("amd64");
  REQUIRE(pool.add_packages(offered("a", "1", "Depends: b, c\n") + offered("b", "1"), "ubuntu"));
  REQUIRE(pool.add_packages(
      offered("a", "2") + offered("b", "2") + offered("c", "2") + offered("d", "2"), "ubuntu", -1));
  REQUIRE(pool.add_installed(installed("d", "1")));
  const std::vector<std::string> wishes{"a", "d"};
  std::vector<std::string> texts;
  const auto files = pool.solve(wishes, {}).value();
  for (const auto& file : files) texts.push_back(file.package + " " + file.version);
  CHECK(texts == std::vector<std::string>{"a 1", "b 1", "c 2"});
}

TEST_CASE("what is on hold is not upgraded") {
  const auto texts = added(installed("b", "1", "", "hold ok installed"),
                           offered("a", "1", "Depends: b (>= 2)\n") + offered("b", "2"), {"a"});
  REQUIRE(texts.size() > 1);
  CHECK(texts[0].find("cannot be installed onto what is installed") != std::string::npos);
}

TEST_CASE("an old lock's version is kept, of an upgrade too") {
  const std::string archive = offered("a", "1", "Depends: b (>= 2)\n") + offered("b", "2") +
                              offered("b", "3") + offered("c", "5") + offered("c", "6");
  CHECK(added(installed("b", "1"), archive, {"a", "c"}, {{"b", "2"}, {"c", "5"}}) ==
        std::vector<std::string>{"a 1", "b 1 -> 2 [a]", "c 5"});
  // Not below what a newer base has of itself.
  CHECK(added(installed("c", "6"), archive, {"c"}, {{"c", "5"}}).empty());
}

}  // namespace
}  // namespace slipway::index
