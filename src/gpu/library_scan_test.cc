#include "gpu/library_scan.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "gpu/python_packages.h"
#include "gpu/testing/elf_writer.h"

namespace slipway::gpu {
namespace {

class Tree {
 public:
  Tree() : folder_(TemporaryFolder::create("/tmp").value()) {}
  void file(const std::string& path, std::string_view text) {
    const std::string whole = folder_.path() + path;
    REQUIRE(make_folders(parent_path(whole)).ok());
    REQUIRE(write_file(whole, text).ok());
  }
  void link(const std::string& path, const std::string& target) {
    const std::string whole = folder_.path() + path;
    REQUIRE(make_folders(parent_path(whole)).ok());
    REQUIRE(symlink(target.c_str(), whole.c_str()) == 0);
  }
  const std::string& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

ElfFacts library(const std::string& soname) {
  return {kMachineX86_64, true, soname, {"libc.so.6"}, {}, {"$ORIGIN"}, ""};
}

TEST_CASE("a tree is read whole, and its links are not followed") {
  Tree outside;
  outside.file("/secret.so", make_elf(library("secret")));
  Tree tree;
  tree.file("/usr/lib/libb.so.1", make_elf(library("libb.so.1")));
  tree.file("/opt/a b%\n.so", make_elf(library("a")));
  tree.file("/opt/text.py", "print()\n");
  tree.file("/opt/empty", "");
  tree.file("/opt/lies.so",
            "\x7f"
            "ELF and nothing behind");
  tree.file("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n");
  tree.file("/etc/ld.so.conf.d/x.conf", "/opt # here\n");
  tree.file("/etc/ld.so.conf.d/readme", "no\n");
  tree.link("/lib", "usr/lib");
  tree.link("/usr/lib/libb.so", "libb.so.1");
  tree.link("/out", outside.path());

  const LayerLibraries found = scan_layer(tree.path(), {}).value();
  CHECK(found.elves == std::vector<LibraryFile>{{"/opt/a b%\n.so", library("a")},
                                                {"/usr/lib/libb.so.1", library("libb.so.1")}});
  CHECK(found.links == std::vector<LibraryLink>{{"/lib", "usr/lib"},
                                                {"/out", outside.path()},
                                                {"/usr/lib/libb.so", "libb.so.1"}});
  CHECK(found.loader_configurations ==
        std::vector<LoaderConfiguration>{{"/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n"},
                                         {"/etc/ld.so.conf.d/x.conf", "/opt # here\n"}});
  REQUIRE(found.unreadable.size() == 1);
  CHECK(found.unreadable[0].starts_with("/opt/lies.so: "));

  const std::string text = write_layer_libraries(found);
  CHECK(parse_layer_libraries(text).value() == found);
  CHECK(write_layer_libraries(scan_layer(tree.path(), {}).value()) == text);
}

TEST_CASE("whiteouts of overlayfs" * doctest::skip(geteuid() != 0)) {
  Tree tree;
  tree.file("/a/x", "");
  const std::string node = tree.path() + "/a/gone.so";
  if (mknod(node.c_str(), S_IFCHR, makedev(0, 0)) != 0) return;  // not in every user namespace
  CHECK(scan_layer(tree.path(), {}).value().removed == std::vector<std::string>{"/a/gone.so"});
}

TEST_CASE("of undefined symbols those of packages are kept, without their own and Python's") {
  LayerLibraries layer;
  const auto add = [&](const std::string& path, std::vector<std::string> undefined,
                       std::vector<std::uint32_t> defined) {
    layer.elves.push_back({path, library(path), {}, {}, {std::move(undefined), defined, ""}});
  };
  add("/s/p/_C.so", {"PyInit_x", "_Py_Dealloc", "gone", "own"}, {});
  add("/s/p/libown.so", {}, {symbol_hash("own")});
  add("/usr/lib/libdebian.so", {"gone"}, {});
  finish_layer({{"/s/p-1.dist-info/METADATA", "Name: p\nVersion: 1\n"},
                {"/s/p-1.dist-info/RECORD", "p/_C.so,,\np/libown.so,,\n"}},
               layer);
  CHECK(layer.elves[0].symbols.undefined == std::vector<std::string>{"gone"});
  CHECK(layer.elves[2].symbols.undefined.empty());
  CHECK(parse_layer_libraries(write_layer_libraries(layer)).value() == layer);
}

TEST_CASE("thousands of files, in the same order each time") {
  Tree tree;
  for (int i = 0; i < 2000; ++i)
    tree.file(fmt::format("/p/{}/f{}.so", i % 7, i), i % 3 == 0 ? make_elf(library("x")) : "text");
  const LayerLibraries found = scan_layer(tree.path(), {}).value();
  CHECK(found.elves.size() == 667);
  CHECK(std::is_sorted(found.elves.begin(), found.elves.end(),
                       [](const auto& a, const auto& b) { return a.path < b.path; }));
}

TEST_CASE("a folder that is not there, and a cancel") {
  CHECK(scan_layer("/nowhere/at/all", {}).error().kind == ErrorKind::NotFound);
  Tree tree;
  CancelToken cancel;
  cancel.cancel();
  CHECK(scan_layer(tree.path(), cancel).error().kind == ErrorKind::Cancelled);
}

TEST_CASE("text that was not written by us is refused") {
  const std::string first = "slipway-libraries 4\n";
  for (const std::string& text : {std::string(),
                                  std::string("slipway-libraries 1\n"),
                                  first + "elf 62 64 /a",
                                  first + "elf x 64 /a\n",
                                  first + "elf 62 65 /a\n",
                                  first + "soname a\n",
                                  first + "elf 62 64 /a\nunknown a\n",
                                  first + "removed %4\n",
                                  first + "removed %zz\n",
                                  first + "removed a b\n",
                                  first + "elf 62 64 /a\n\n",
                                  first + "code sass sm_80 1 2\n",
                                  first + "elf 62 64 /a\ncode sass sm_80 1\n",
                                  first + "elf 62 64 /a\ncode sass sm_80 1 2 8.4\n",
                                  first + "elf 62 64 /a\ncode ptx sm_80 1 2\n",
                                  first + "elf 62 64 /a\ncode sass 80 1 2\n",
                                  first + "elf 62 64 /a\ncode sass sm_80 -1 2\n",
                                  first + "elf 62 64 /a\nneeds libc.so.6\n",
                                  first + "needs libc.so.6 GLIBC_2.17\n",
                                  first + "undefined f\n",
                                  first + "elf 62 64 /a\nexports g\n",
                                  first + "elf 62 64 /a\nundefined a b\n"}) {
    CAPTURE(text);
    CHECK(parse_layer_libraries(text).error().kind == ErrorKind::Corrupt);
  }
}

}  // namespace
}  // namespace slipway::gpu
