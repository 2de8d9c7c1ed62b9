#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "plan/captured_packages.h"
#include "plan/captured_python.h"
#include "plan/captured_tree.h"

namespace slipway::plan {
namespace {

const auto kNothing = [](const std::string&) { return false; };

TEST_CASE("a row of RECORD never leaves the prefix") {
  const std::string site = "/v/lib/python3.11/site-packages";
  const struct {
    const char *row, *path;
  } cases[] = {
      {"x/__init__.py", "/v/lib/python3.11/site-packages/x/__init__.py"},
      {"../../../bin/x", "/v/bin/x"},
      {"./x.py", "/v/lib/python3.11/site-packages/x.py"},
      {"../../../../etc/passwd", ""},
      {"../../../../v2/x", ""},
      {"/v/bin/x", ""},
      {"/etc/passwd", ""},
      {"../../..", ""},
      {"", ""},
  };
  for (const auto& one : cases) {
    CAPTURE(one.row);
    CHECK(find_record_path(site, one.row, {"/v"}) == one.path);
  }
}

TEST_CASE("what an interpreter answers is not believed blindly") {
  for (const char* text : {"", "[]", "{}", "null", "{\"executable\": 3}",
                           "{\"executable\":\"python\",\"version\":\"3\",\"prefix\":\"/\","
                           "\"base_prefix\":\"/\",\"base_executable\":\"/x\",\"machine\":\"m\","
                           "\"libc\":\"\",\"library\":[],\"path\":[]}"}) {
    CAPTURE(text);
    CHECK(!parse_python_answer(text).ok());
  }
  const auto python = parse_python_answer(
      R"({"executable":"/v/bin/python","version":"3.11.2","prefix":"/v","base_prefix":"/usr",
          "base_executable":"/usr/bin/python3.11","machine":"x86_64","libc":"glibc 2.36",
          "authorities":["/etc/ssl/certs"],
          "library":["/usr","/usr/bin","relative"],"path":["/nowhere/site-packages","/usr"]})");
  REQUIRE(python.ok());
  CHECK(python->glibc == "2.36");
  CHECK(python->standard_library == std::vector<std::string>{"/usr"});
  CHECK(python->site_folders.empty());
}

TEST_CASE("links come along, secrets and bytecode do not") {
  const auto folder = TemporaryFolder::create("/var/tmp", "capture-test");
  REQUIRE(folder.ok());
  const std::string top = folder->path();
  REQUIRE(make_folders(top + "/real/__pycache__").ok());
  REQUIRE(write_file(top + "/real/a.py", "1").ok());
  REQUIRE(write_file(top + "/real/pip.conf", "password").ok());
  REQUIRE(write_file(top + "/real/__pycache__/a.pyc", "2").ok());
  REQUIRE(write_file(top + "/real/\xff.py", "3").ok());
  REQUIRE(::symlink("real", (top + "/link").c_str()) == 0);
  REQUIRE(::symlink("loop", (top + "/loop").c_str()) == 0);
  REQUIRE(::mkfifo((top + "/real/pipe").c_str(), 0644) == 0);
  CapturedTree tree;
  REQUIRE(tree.add_tree(top + "/link", kNothing, {}).ok());
  CHECK(tree.has(top + "/link"));
  CHECK(tree.has(top + "/real/a.py"));
  CHECK(tree.has(top + "/real/\xff.py"));
  CHECK(!tree.has(top + "/real/pip.conf"));
  CHECK(!tree.has(top + "/real/__pycache__"));
  CHECK(tree.left_out() == std::vector<std::string>{top + "/real/pip.conf", top + "/real/pipe"});
  const auto loop = tree.add(top + "/loop");
  REQUIRE(loop.ok());
  CHECK(!loop->has_value());
  const auto through = tree.add(top + "/link/a.py");
  REQUIRE(through.ok());
  CHECK(**through == top + "/real/a.py");
}

TEST_CASE("a package owns what its RECORD proves") {
  const auto folder = TemporaryFolder::create("/var/tmp", "capture-test");
  REQUIRE(folder.ok());
  const std::string site = folder->path() + "/lib/site-packages";
  const auto package = [&](const std::string& name, const std::string& record) {
    const std::string info = site + "/" + name + "-1.dist-info";
    REQUIRE(make_folders(info).ok());
    REQUIRE(write_file(info + "/METADATA", "Name: " + name + "\nVersion: 1\n\nName: no\n").ok());
    REQUIRE(write_file(info + "/RECORD", record).ok());
  };
  REQUIRE(make_folders(site).ok());
  const std::string hash = "sha256=" + sha256("same").base64url();
  REQUIRE(write_file(site + "/both.py", "same").ok());
  REQUIRE(write_file(site + "/other.py", "edited").ok());
  package("a", "both.py," + hash + ",4\nother.py," + hash + ",4\ngone.py," + hash + ",4\n");
  package("b", "both.py," + hash + ",4\n/etc/passwd,,\n../../../../../etc/shadow,,\n");
  package("c", "\"never ends\n");
  CapturedTree tree;
  REQUIRE(tree.add_tree(folder->path(), kNothing, {}).ok());
  SilentReporter silent;
  REQUIRE(tree.hash_files(silent, {}).ok());
  const auto found = find_captured_packages(tree, {site}, {folder->path()}, kNothing);
  REQUIRE(found.ok());
  REQUIRE(found->packages.size() == 3);
  const CapturedPackage& a = found->packages[0];
  CHECK(a.files == std::vector<std::string>{site + "/both.py"});
  CHECK(a.changed == std::vector<std::string>{site + "/other.py"});
  CHECK(a.missing == std::vector<std::string>{site + "/gone.py"});
  const CapturedPackage& b = found->packages[1];
  CHECK(b.files.empty());
  CHECK(b.outside.size() == 2);
  CHECK(!found->packages[2].has_record);

  REQUIRE(write_file(site + "/a-1.dist-info/direct_url.json",
                     R"({"url":"file:///elsewhere","dir_info":{"editable":true}})")
              .ok());
  const auto refused = find_captured_packages(tree, {site}, {folder->path()}, kNothing);
  REQUIRE(!refused.ok());
  CHECK(refused.error().message.find("editable install of `/elsewhere`") != std::string::npos);
}

}  // namespace
}  // namespace slipway::plan
