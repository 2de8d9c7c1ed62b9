#include "cli/deb_graph.h"

#include <doctest/doctest.h>

namespace slipway::cli {
namespace {

spec::LockedDeb deb(const std::string& name, std::vector<std::string> because) {
  return {name, "1", "amd64", "debian", "pool/" + name + "_1_amd64.deb", 1, {}, std::move(because)};
}

spec::Lock example() {
  spec::Lock lock;
  lock.debian = "bookworm";
  lock.debs = {deb("dash", {"the base"}),
               deb("git", {"slipway.toml"}),
               deb("libc6", {"dash", "git", "libcurl", "perl", "ssh", "zlib"}),
               deb("libcurl", {"git"}),
               deb("perl", {"git", "perl-error"}),
               deb("perl-error", {"perl"}),
               deb("ssh", {"libcurl"}),
               deb("zlib", {"git", "the base"})};
  return lock;
}

TEST_CASE("the Debian packages of a lock as a tree") {
  CHECK(draw_debs(example()) ==
        "Debian bookworm, with 3 packages that every image has\n"
        "└─ git 1\n"
        "   ├─ libcurl 1\n"
        "   │  └─ ssh 1\n"
        "   └─ perl 1\n"
        "      └─ perl-error 1\n"
        "         └─ perl 1 (*)\n"
        "(*) what is below it stands further up\n");
  spec::Lock older = example();
  for (spec::LockedDeb& each : older.debs) each.because.clear();
  CHECK(draw_debs(older).empty());
}

TEST_CASE("those on a base image, below who asks for them") {
  spec::Lock lock;
  lock.base = spec::LockedBase{"ubuntu:22.04",        {},         "ubuntu 22.04", "3.10.12",
                               "/usr/bin/python3.10", "/bin/bash"};
  CHECK(draw_debs(lock).empty());
  lock.debs = {deb("git", {"slipway.toml"}), deb("libexpat1", {"git", "python3"}),
               deb("python3", {"the base has no Python"}),
               deb("zlib1g", {"wheels expect it of a system"})};
  CHECK(draw_debs(lock) ==
        "4 Debian packages on the base\n"
        "├─ slipway.toml\n"
        "│  └─ git 1\n"
        "│     └─ libexpat1 1\n"
        "├─ the base has no Python\n"
        "│  └─ python3 1\n"
        "│     └─ libexpat1 1\n"
        "└─ wheels expect it of a system\n"
        "   └─ zlib1g 1\n");
  CHECK(draw_reasons(lock, lock.debs[2]) ==
        "python3 1, `pool/python3_1_amd64.deb` from `debian`\n└─ the base has no Python\n");
}

TEST_CASE("who needs a Debian package, by the shortest ways") {
  const spec::Lock lock = example();
  const auto why = [&](std::size_t i) {
    const std::string text = draw_reasons(lock, lock.debs[i]);
    return text.substr(text.find('\n') + 1);
  };
  CHECK(why(0) == "└─ the base\n");
  CHECK(why(2) ==
        "├─ dash 1\n│  └─ the base\n├─ git 1\n│  └─ slipway.toml\n└─ zlib 1\n   └─ the base\n"
        "needed by dash, git, libcurl, perl and 2 more\n");
  CHECK(why(5) == "└─ perl 1\n   └─ git 1\n      └─ slipway.toml\n");
  CHECK(why(7) == "└─ the base\nneeded by git\n");
  const spec::LockedDeb silent = deb("git", {});
  CHECK(draw_reasons(lock, silent).find("`slipway lock` adds them") != std::string::npos);
}

}  // namespace
}  // namespace slipway::cli
