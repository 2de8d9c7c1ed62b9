#include "layer/debian_layer.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "layer/debian_entries.h"
#include "layer/debian_normalise.h"
#include "layer/debian_users.h"

namespace slipway::layer {
namespace {

TEST_CASE("shadow dates become the layer's, meanings stay") {
  CHECK(
      fix_shadow_dates("root:*:20779:0:99999:7:::\nsshd:!:20780::::::\nnew:*:0:::::\nold:*::::::\n"
                       "odd\n") ==
      "root:*:3652:0:99999:7:::\nsshd:!:3652::::::\nnew:*:0:::::\nold:*::::::\nodd\n");
  CHECK(fix_shadow_dates("").empty());
}

TEST_CASE("a user joins the base's files once") {
  const UserFiles base{"root:x:0:0:root:/root:/bin/bash\n",
                       "root:x:0:\nstaff:x:50:", "root:*:3652:0:99999:7:::\n"};
  const auto files = add_user(base, {}).value();
  CHECK(files.passwd == base.passwd + "dev:x:1000:1000::/home/dev:/bin/bash\n");
  CHECK(files.group == base.group + "\ndev:x:1000:\n");
  CHECK(files.shadow == base.shadow + "dev:*:3652:0:99999:7:::\n");
  CHECK(add_user(files, {}).value() == files);
  CHECK(add_user(base, {"root", 0, "/root", "/bin/bash"}).value() == base);
}

TEST_CASE("users that collide or cannot be are refused") {
  const UserFiles base{"root:x:0:0:root:/root:/bin/bash\nsshd:x:100:65534::/run/sshd:/bin/false\n",
                       "root:x:0:\nstaff:x:50:\n", ""};
  const ImageUser bad[] = {{"root", 1000},
                           {"dev", 0},
                           {"dev", 100},
                           {"staff", 1000},
                           {"dev", 50},
                           {"", 1000},
                           {"Dev", 1000},
                           {"a:b", 1000},
                           {"-a", 1000},
                           {"1a", 1000},
                           {"dev", 1000, "home"},
                           {"dev", 1000, "/a:b"},
                           {"dev", 1000, "/a", "/bin/sh\nroot::0"},
                           {std::string(33, 'a'), 1000}};
  for (const auto& user : bad) {
    INFO(user.name, " ", user.uid, " ", user.home);
    const auto result = add_user(base, user);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == ErrorKind::InvalidInput);
  }
}

TEST_CASE("a tree as entries: links, hard links, modes; no pipes") {
  const auto folder = TemporaryFolder::create("/tmp").value();
  const auto path = [&](const char* name) { return join_path(folder.path(), name); };
  REQUIRE(make_folders(path("usr/bin")));
  REQUIRE(write_file(path("usr/bin/perl"), "x", 0755));
  REQUIRE(::chmod(path("usr/bin/perl").c_str(), 04755) == 0);
  REQUIRE(::link(path("usr/bin/perl").c_str(), path("usr/bin/perl5").c_str()) == 0);
  REQUIRE(::symlink("usr/bin", path("bin").c_str()) == 0);
  const auto entries = read_tree_entries(folder.path()).value();
  REQUIRE(entries.size() == 5);
  CHECK(entries[0].kind == EntryKind::Link);
  CHECK(entries[0].link_target == "usr/bin");
  CHECK(entries[1].kind == EntryKind::Folder);
  CHECK(entries[3].path == "usr/bin/perl");
  CHECK(entries[3].mode == 04755);
  CHECK(entries[4].kind == EntryKind::HardLink);
  CHECK(entries[4].link_target == "usr/bin/perl");
  REQUIRE(::mkfifo(path("pipe").c_str(), 0600) == 0);
  CHECK(read_tree_entries(folder.path()).error().kind == ErrorKind::Unsupported);
}

TEST_CASE("normalising leaves nothing of the machine and keeps what packages own") {
  const auto folder = TemporaryFolder::create("/tmp").value();
  const auto path = [&](const char* name) { return join_path(folder.path(), name); };
  const auto put = [&](const char* name) {
    REQUIRE(make_folders(parent_path(path(name))));
    REQUIRE(write_file(path(name), "x"));
  };
  const char* const gone[] = {"etc/ssh/ssh_host_rsa_key",
                              "etc/hostname",
                              "etc/passwd-",
                              "etc/resolv.conf",
                              "var/lib/dpkg/status-old",
                              "var/lib/dpkg/lock",
                              "var/lib/dpkg/triggers/Lock",
                              "var/log/apt/history.log",
                              "var/cache/ldconfig/aux-cache",
                              "var/lib/apt/lists/x",
                              "usr/share/man/man1/a.1",
                              "usr/share/doc/git/README",
                              "usr/share/locale/de/a.mo",
                              "usr/lib/python3/__pycache__/a.pyc",
                              "run/x",
                              "tmp/y",
                              "dev/null"};
  const char* const kept[] = {"etc/ssh/sshd_config",           "etc/passwd",
                              "var/lib/dpkg/status",           "usr/share/doc/git/copyright",
                              "usr/share/locale/locale.alias", "usr/lib/python3/a.py"};
  for (const auto* name : gone) put(name);
  for (const auto* name : kept) put(name);
  put("etc/machine-id");
  put("var/log/lastlog");
  REQUIRE(::symlink("/etc/passwd", path("var/log/link").c_str()) == 0);
  REQUIRE(normalise_debian_tree(folder.path()));
  for (const auto* name : gone) {
    INFO(name);
    CHECK_FALSE(path_exists(path(name)));
  }
  for (const auto* name : kept) {
    INFO(name);
    CHECK(read_file(path(name)).value() == "x");
  }
  CHECK(read_file(path("etc/machine-id")).value().empty());
  CHECK(read_file(path("var/log/lastlog")).value().empty());
  CHECK(is_folder(path("var/log/apt")));
  CHECK(is_folder(path("var/cache/ldconfig")));
  struct stat status {};
  REQUIRE(::stat(path("tmp").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 01777);
  REQUIRE(fix_times(folder.path()));
  REQUIRE(::lstat(path("var/lib/dpkg").c_str(), &status) == 0);
  CHECK(status.st_mtime == kLayerTime);
}

TEST_CASE("the key of a base depends on packages and interpreter, not on order or place") {
  const DebInput a{"a", "/1/a.deb", sha256("a")};
  const DebInput b{"b", "/1/b.deb", sha256("b")};
  const DebInput moved{"a", "/2/x", sha256("a")};
  const auto key = debian_layer_key(std::vector{a, b}, {});
  CHECK(key == debian_layer_key(std::vector{b, moved}, {}));
  CHECK(key != debian_layer_key(std::vector{a}, {}));
  CHECK(key != debian_layer_key(std::vector{a, b}, {.scratch_folder = "", .python_minor = 12}));
}

}  // namespace
}  // namespace slipway::layer
