#include "index/debian_pool.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/file.h"

namespace slipway::index {
namespace {

std::string stanza(std::string_view name, std::string_view version, std::string_view fields = "",
                   std::string_view architecture = "amd64") {
  return fmt::format(
      "Package: {0}\nVersion: {1}\nArchitecture: {3}\n{2}Filename: pool/{0}_{1}.deb\nSize: 7\n"
      "SHA256: {4:0>64}\n\n",
      name, version, fields, architecture, name.size());
}

/// "name version" of each package that the solve picks, or the error's message.
std::vector<std::string> solve(DebianPool& pool, std::vector<std::string> wishes,
                               std::vector<DebPreference> preferences = {}) {
  const auto files = pool.solve(wishes, preferences);
  if (!files) return {files.error().message};
  std::vector<std::string> names;
  for (const auto& file : *files) names.push_back(file.package + " " + file.version);
  return names;
}

TEST_CASE("solving as apt does") {
  struct Case {
    const char* name;
    std::string packages;
    std::vector<std::string> wishes;
    std::vector<std::string> solution;
  };
  const Case cases[] = {
      {"essential and required are always there",
       stanza("dash", "1", "Essential: yes\n") + stanza("apt", "1", "Priority: required\n") +
           stanza("vim", "1", "Priority: optional\n"),
       {},
       {"apt 1", "dash 1"}},
      {"dependencies and pre-dependencies, no recommends",
       stanza("a", "1", "Depends: b\nPre-Depends: c\nRecommends: d\n") + stanza("b", "1") +
           stanza("c", "1") + stanza("d", "1"),
       {"a"},
       {"a 1", "b 1", "c 1"}},
      {"the highest version by Debian's order",
       stanza("a", "1.0~rc1") + stanza("a", "1.0") + stanza("a", "1.0-1~deb12u1") +
           stanza("a", "0:1.0-1~deb12") + stanza("b", "1:0.1") + stanza("b", "9"),
       {"a", "b"},
       {"a 1.0-1~deb12u1", "b 1:0.1"}},
      {"a lower one where a dependency says so",
       stanza("a", "1") + stanza("a", "2") + stanza("b", "1", "Depends: a (<< 2)\n"),
       {"b"},
       {"a 1", "b 1"}},
      {"the first alternative",
       stanza("a", "1", "Depends: z | b\n") + stanza("b", "1") + stanza("z", "1"),
       {"a"},
       {"a 1", "z 1"}},
      {"unless another is there already",
       stanza("a", "1", "Depends: z | b, c\n") + stanza("b", "1") + stanza("z", "1") +
           stanza("c", "1", "Depends: b\n"),
       {"a"},
       {"a 1", "b 1", "c 1"}},
      {"or the first does not exist",
       stanza("a", "1", "Depends: none | b\n") + stanza("b", "1"),
       {"a"},
       {"a 1", "b 1"}},
      {"a virtual package, the real one of that name first",
       stanza("a", "1", "Depends: m\n") + stanza("b", "1", "Provides: m\n") + stanza("m", "1"),
       {"a"},
       {"a 1", "m 1"}},
      {"a provide without version fits no versioned dependency",
       stanza("a", "1", "Depends: m (>= 1)\n") + stanza("b", "1", "Provides: m\n") +
           stanza("c", "1", "Provides: m (= 2)\n"),
       {"a"},
       {"a 1", "c 1"}},
      {"asked for by a virtual name with one provider",
       stanza("b", "1", "Provides: m\n"),
       {"m"},
       {"b 1"}},
      {"conflict with what one provides oneself is none",
       stanza("b", "1", "Provides: m\nConflicts: m\nReplaces: m\n"),
       {"b"},
       {"b 1"}},
      {"breaks choose another alternative",
       stanza("a", "1", "Depends: x | y\n") + stanza("b", "1", "Breaks: x (<= 1)\n") +
           stanza("x", "1") + stanza("y", "1"),
       {"a", "b"},
       {"a 1", "b 1", "y 1"}},
      {"multiarch qualifiers",
       stanza("a", "1", "Depends: p:any (>= 1)\n") + stanza("p", "1", "Multi-Arch: allowed\n"),
       {"a"},
       {"a 1", "p 1"}},
      {"other architectures do not exist",
       stanza("a", "2", "", "arm64") + stanza("a", "1", "", "all"),
       {"a"},
       {"a 1"}},
  };
  for (const auto& item : cases) {
    INFO(item.name);
    DebianPool pool("amd64");
    REQUIRE(pool.add_packages(item.packages, "debian"));
    CHECK(solve(pool, item.wishes) == item.solution);
  }
}

TEST_CASE("several suites, and versions that a lock holds") {
  DebianPool pool("amd64");
  REQUIRE(pool.add_packages(stanza("git", "1:2.39-1") + stanza("ssh", "9.1"), "debian"));
  REQUIRE(pool.add_packages(stanza("git", "1:2.39-2"), "debian-security"));
  const auto files = pool.solve(std::vector<std::string>{"git"}, {}).value();
  REQUIRE(files.size() == 1);
  CHECK(files[0].version == "1:2.39-2");
  CHECK(files[0].index == "debian-security");
  CHECK(files[0].path == "pool/git_1:2.39-2.deb");
  CHECK(files[0].file_name == "git_1:2.39-2.deb");
  CHECK(files[0].size_bytes == 7);
  CHECK(solve(pool, {"git"}, {{"git", "1:2.39-1"}}) == std::vector<std::string>{"git 1:2.39-1"});
  CHECK(solve(pool, {"git"}, {{"git", "1:2.39-0"}}) == std::vector<std::string>{"git 1:2.39-2"});
  CHECK(solve(pool, {"git"}, {{"gone", "1"}}) == std::vector<std::string>{"git 1:2.39-2"});
}

TEST_CASE("why each package is there") {
  DebianPool pool("amd64");
  REQUIRE(pool.add_packages(stanza("dash", "1", "Essential: yes\nPre-Depends: libc (>= 1)\n") +
                                stanza("git", "1", "Depends: libc, mta | ssh, perl:any\n") +
                                stanza("libc", "2") + stanza("ssh", "1", "Depends: libc\n") +
                                stanza("exim", "1", "Provides: mta\n") +
                                stanza("perl", "1", "Multi-Arch: allowed\nDepends: perl-base\n") +
                                stanza("perl-base", "1", "Depends: perl\n"),
                            "debian"));
  const std::vector<std::string> asked = {"git", "mta"};
  std::vector<std::string> told;
  const auto files = pool.solve(asked, {});
  REQUIRE(files.ok());
  for (const DebFile& file : *files) {
    told.push_back(fmt::format("{}{}: {} | {}", file.is_always ? "*" : "", file.package,
                               fmt::join(file.asked_as, " "), fmt::join(file.needed_by, " ")));
  }
  CHECK(told == std::vector<std::string>{"*dash:  | ", "exim: mta | git", "git: git | ",
                                         "libc:  | dash git", "perl:  | git perl-base",
                                         "perl-base:  | perl"});
}

TEST_CASE("what cannot be had is explained") {
  DebianPool pool("amd64");
  REQUIRE(pool.add_packages(stanza("tmux", "1") +
                                stanza("m1", "1", "Provides: mta\nConflicts: mta\n") +
                                stanza("m2", "1", "Provides: mta\nConflicts: mta\n") +
                                stanza("lost", "1", "Depends: nowhere (>= 2)\n"),
                            "debian"));
  const auto unknown = pool.solve(std::vector<std::string>{"tmx"}, {});
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().kind == ErrorKind::InvalidInput);
  CHECK(unknown.error().message.find("`tmx`") != std::string::npos);
  REQUIRE_FALSE(unknown.error().hints.empty());
  CHECK(unknown.error().hints[0].find("`tmux`") != std::string::npos);

  const auto ambiguous = pool.solve(std::vector<std::string>{"mta"}, {});
  REQUIRE_FALSE(ambiguous.ok());
  CHECK(ambiguous.error().kind == ErrorKind::InvalidInput);
  CHECK(ambiguous.error().hints[0].find("m1, m2") != std::string::npos);

  const auto both = pool.solve(std::vector<std::string>{"m1", "m2"}, {});
  REQUIRE_FALSE(both.ok());
  CHECK(both.error().kind == ErrorKind::Unsolvable);
  REQUIRE_FALSE(both.error().because.empty());

  const auto lost = pool.solve(std::vector<std::string>{"lost"}, {});
  REQUIRE_FALSE(lost.ok());
  REQUIRE_FALSE(lost.error().because.empty());
  CHECK(lost.error().because[0].find("nowhere") != std::string::npos);
}

TEST_CASE("bad Packages files are refused") {
  const auto good = stanza("a", "1");
  for (const std::string& bad :
       {std::string("Package: a\nArchitecture: amd64\n"), stanza("a", "1", "Depends: (x\n"),
        stanza("", "1"), stanza("a", ""), stanza("../../a", "1"),
        std::string(good).replace(good.find("Size: 7"), 7, "Size: x"),
        std::string(good).replace(good.find("SHA256: 0"), 9, "SHA256: g")}) {
    INFO(bad);
    DebianPool pool("amd64");
    const auto result = pool.add_packages(bad, "debian");
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == ErrorKind::Corrupt);
  }
}

TEST_CASE("a saved pool answers like the one it came from") {
  const auto folder = TemporaryFolder::create("/tmp").value();
  const auto path = join_path(folder.path(), "x.solv");
  DebianPool first("amd64");
  REQUIRE(first.add_packages(
      stanza("a", "1", "Depends: b | c\nEssential: yes\n") + stanza("b", "2") + stanza("c", "1"),
      "debian"));
  std::FILE* file = std::fopen(path.c_str(), "w+e");
  REQUIRE(file != nullptr);
  REQUIRE(first.save_last(file));
  std::rewind(file);
  DebianPool second("amd64");
  REQUIRE(second.load(file, "debian"));
  std::fclose(file);
  const auto before = first.solve({}, {}).value();
  CHECK(before == second.solve({}, {}).value());
  CHECK(before.size() == 2);

  REQUIRE(write_file(path, "no solv file"));
  file = std::fopen(path.c_str(), "re");
  DebianPool third("amd64");
  CHECK_FALSE(third.load(file, "debian"));
  std::fclose(file);
}

}  // namespace
}  // namespace slipway::index
