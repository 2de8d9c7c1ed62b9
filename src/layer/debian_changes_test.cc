#include "layer/debian_changes.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"

namespace slipway::layer {
namespace {

using Kind = FileLook::Kind;

FileLook file() { return {Kind::File, 1, 0644, 0, 0, {}}; }
FileLook folder() { return {Kind::Folder, 0, 0755, 0, 0, {}}; }
PathChange added(const std::string& path, FileLook look) { return {"/" + path, {}, look, false}; }
PathChange changed(const std::string& path) { return {"/" + path, file(), file(), true}; }
PathChange removed(const std::string& path, FileLook look) { return {"/" + path, look, {}, false}; }

TEST_CASE("what a change becomes") {
  struct Case {
    PathChange change;
    ChangeFate fate;
  };
  const Case cases[] = {
      {added("usr/bin/git", file()), ChangeFate::Kept},
      {changed("var/lib/dpkg/status"), ChangeFate::Kept},
      {changed("var/lib/dpkg/status-old"), ChangeFate::Left},
      {added("var/lib/dpkg/lock-frontend", file()), ChangeFate::Left},
      {added("var/lib/dpkg/info/lockfile.list", file()), ChangeFate::Kept},
      {added("var/log/apt", folder()), ChangeFate::Kept},
      {added("var/log/dpkg.log", file()), ChangeFate::Left},
      {added("var/log/lastlog", file()), ChangeFate::Emptied},
      {changed("var/log/lastlog"), ChangeFate::Left},
      {removed("var/log/old.log", file()), ChangeFate::Left},
      {added("var/cache/man", folder()), ChangeFate::Kept},
      {changed("var/cache/ldconfig/aux-cache"), ChangeFate::Left},
      {added("etc/machine-id", file()), ChangeFate::Emptied},
      {changed("etc/machine-id"), ChangeFate::Left},
      {added("etc/passwd-", file()), ChangeFate::Left},
      {changed("etc/passwd"), ChangeFate::Kept},
      {added("etc/ssh/ssh_host_rsa_key", file()), ChangeFate::Left},
      {added("etc/ssh/sshd_config", file()), ChangeFate::Kept},
      {added("run/sshd", folder()), ChangeFate::Left},
      {added("runner", folder()), ChangeFate::Kept},
      {added("tmp", folder()), ChangeFate::Left},
      {added("var/tmp/x", file()), ChangeFate::Left},
      {added("usr/sbin/policy-rc.d", file()), ChangeFate::Left},
  };
  for (const auto& item : cases) {
    INFO(item.change.path);
    CHECK(fate_of(item.change.path.substr(1), item.change) == item.fate);
  }
}

TEST_CASE("which sources are compiled") {
  CHECK(source_of_bytecode("usr/lib/python3/x/__pycache__/a.cpython-311.pyc", "cpython-311") ==
        "usr/lib/python3/x/a.py");
  CHECK(source_of_bytecode("usr/lib/__pycache__/a.cpython-312.pyc", "cpython-311").empty());
  CHECK(source_of_bytecode("usr/lib/__pycache__/a.cpython-311.opt-1.pyc", "cpython-311").empty());
  CHECK(source_of_bytecode("usr/lib/a.cpython-311.pyc", "cpython-311").empty());
  const std::vector<PathChange> changes = {
      added("usr/lib/python3.11/os.py", file()),
      changed("usr/lib/python3/dist-packages/__pycache__/old.cpython-311.pyc"),
      changed("usr/lib/python3/dist-packages/__pycache__/gone.cpython-311.pyc"),
      removed("usr/lib/python3/dist-packages/gone.py", file()),
      added("usr/lib/python3.12/os.py", file()),
      added("usr/share/x/a.py", file())};
  CHECK(
      sources_to_compile(changes, "python3.11") ==
      std::vector<std::string>{"usr/lib/python3.11/os.py", "usr/lib/python3/dist-packages/old.py"});
}

TEST_CASE("dates of new users are the layer's, those of the base stay") {
  CHECK(fix_new_shadow_dates("root:*:19000:0:99999:7:::\nsshd:!:20500::::::\n",
                             "root:*:19000:0:99999:7:::\n") ==
        "root:*:19000:0:99999:7:::\nsshd:!:3652::::::\n");
}

TEST_CASE("the entries of a layer") {
  const auto upper = TemporaryFolder::create("/tmp").value();
  const auto put = [&](const std::string& path, mode_t folder_mode) {
    const auto full = join_path(upper.path(), path);
    REQUIRE(make_folders(parent_path(full)));
    REQUIRE(write_file(full, path));
    REQUIRE(::chmod(parent_path(full).c_str(), folder_mode) == 0);
  };
  put("opt/secret/key", 0700);
  put("usr/lib/python3/__pycache__/a.cpython-311.pyc", 0755);
  put("usr/bin/x", 0755);
  REQUIRE(::link(join_path(upper.path(), "usr/bin/x").c_str(),
                 join_path(upper.path(), "usr/bin/y").c_str()) == 0);
  REQUIRE(make_folders(join_path(upper.path(), "srv")));
  const std::vector<PathChange> changes = {
      added("opt/secret/key", file()),
      removed("srv/old", folder()),
      removed("srv/old/inner", file()),
      added("usr/bin/x", file()),
      added("usr/bin/y", file()),
      changed("usr/lib/python3/__pycache__/a.cpython-311.pyc"),
      changed("usr/lib/python3/__pycache__/b.cpython-311.pyc"),
      added("usr/lib/python3/__pycache__/c.cpython-310.pyc", file()),
      added("var/log/dpkg.log", file())};
  const auto entries =
      change_entries(changes, upper.path(),
                     {{"usr/lib/python3/__pycache__/a.cpython-311.pyc", "/compiled/a"}}, "")
          .value();
  std::vector<std::string> texts;
  for (const auto& entry : entries) {
    texts.push_back(fmt::format("{} {:o} {}", entry.path, entry.mode, entry.link_target));
  }
  std::sort(texts.begin(), texts.end());
  CHECK(texts ==
        std::vector<std::string>{"opt 755 ", "opt/secret 700 ", "opt/secret/key 644 ", "srv 755 ",
                                 "srv/.wh.old 644 ", "usr 755 ", "usr/bin 755 ", "usr/bin/x 644 ",
                                 "usr/bin/y 644 usr/bin/x", "usr/lib 755 ", "usr/lib/python3 755 ",
                                 "usr/lib/python3/__pycache__ 755 ",
                                 "usr/lib/python3/__pycache__/.wh.b.cpython-311.pyc 644 ",
                                 "usr/lib/python3/__pycache__/a.cpython-311.pyc 644 "});
}

}  // namespace
}  // namespace slipway::layer
