#include "layer/unpack_layer.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "layer/testing/tar_maker.h"

using namespace slipway;
using namespace slipway::layer;
using namespace slipway::layer::testing;

namespace {

struct Tree {
  TemporaryFolder outside = TemporaryFolder::create("/var/tmp", "slipway-unpack").value();
  std::string top = outside.path() + "/tree";
  Tree() { REQUIRE(make_folders(top).ok()); }

  Result<Unpacked> unpack(const std::string& blob) {
    BytesSource source(as_bytes(blob));
    return unpack_layer(source, top, OverlayMarks::User, Owners::AsSaid, CancelToken());
  }
  std::string at(const std::string& path) const { return top + "/" + path; }
  struct stat status(const std::string& path) const {
    struct stat status {};
    CAPTURE(path);
    REQUIRE(::lstat(at(path).c_str(), &status) == 0);
    return status;
  }
  bool is_opaque(const std::string& path) const {
    char value[2];
    return ::getxattr(at(path).c_str(), "user.overlay.opaque", value, sizeof value) == 1;
  }
  bool is_whiteout(const std::string& path) const {
    const struct stat found = status(path);
    return S_ISCHR(found.st_mode) && found.st_rdev == makedev(0, 0);
  }
};

bool is_root() { return ::geteuid() == 0; }

}  // namespace

TEST_CASE("unpack: files, links, owners, modes, times") {
  if (!is_root()) return;
  const std::string big(3 << 20, 'b');
  const std::string tar =
      raw_entry({"usr/bin", '5', "", "", 0711, 3, 4, 77}) +
      raw_entry({"usr/bin/tool", '0', "tool", "", 04755, 1, 2, 99}) +
      raw_entry({"usr/bin/same", '1', "", "usr/bin/tool"}) +
      raw_entry({"bin", '2', "", "usr/bin"}) + raw_entry({"bin/late", '0', "by a link"}) +
      raw_entry({"big", '0', big, "", 0600, 0, 0, 55}) + raw_entry({"pipe", '6'}) + tar_end();
  for (const std::string& blob :
       {tar, gzip(tar), zstd(tar), gzip(tar.substr(0, 700)) + gzip(tar.substr(700))}) {
    Tree tree;
    const Unpacked unpacked = tree.unpack(blob).value();
    CHECK(unpacked.diff_id == sha256(tar));
    CHECK(unpacked.tar_bytes == tar.size());
    CHECK(unpacked.left_out == LeftOut{});
    const struct stat tool = tree.status("usr/bin/tool");
    CHECK((tool.st_mode & 07777) == 04755);
    CHECK(tool.st_uid == 1);
    CHECK(tool.st_gid == 2);
    CHECK(tool.st_mtime == 99);
    CHECK(tree.status("usr/bin/same").st_ino == tool.st_ino);
    const struct stat folder = tree.status("usr/bin");
    CHECK((folder.st_mode & 07777) == 0711);
    CHECK(folder.st_uid == 3);
    CHECK(folder.st_mtime == 77);
    CHECK((tree.status("usr").st_mode & 07777) == 0755);
    CHECK(read_file(tree.at("usr/bin/late")).value() == "by a link");
    CHECK(S_ISFIFO(tree.status("pipe").st_mode));
    CHECK(read_file(tree.at("big")).value() == big);
    CHECK(tree.status("big").st_mtime == 55);
    CHECK((tree.status("big").st_mode & 07777) == 0600);
  }
}

TEST_CASE("unpack: files of every size are in the diff_id, in their order") {
  if (!is_root()) return;
  const std::string huge(DirectWriter::kObservedBytes + 12'345, 'h'), large(2 << 20, 'l');
  const std::string tar = raw_entry({"a", '0', "a"}) + raw_entry({"huge", '0', huge}) +
                          raw_entry({"large", '0', large}) + raw_entry({"other", '0', huge}) +
                          raw_entry({"z", '0', "z"}) + tar_end();
  Tree tree;
  const Unpacked unpacked = tree.unpack(gzip(tar)).value();
  CHECK(unpacked.diff_id == sha256(tar));
  CHECK(unpacked.tar_bytes == tar.size());
  CHECK((read_file(tree.at("huge")).value() == huge));
  CHECK((read_file(tree.at("other")).value() == huge));
  CHECK((read_file(tree.at("large")).value() == large));
  // Cut in its middle.
  Tree other;
  CHECK(other.unpack(gzip(tar.substr(0, 4 << 20))).error().message == "is cut short");
}

TEST_CASE("unpack: contents that are kept become the file, if they are its own") {
  if (!is_root()) return;
  const std::string same(3 << 20, 's'), other = same.substr(1) + "o", none(2 << 20, 'n');
  const std::string tar =
      raw_entry({"same", '0', same, "", 04750, 1, 2, 99}) + raw_entry({"link", '1', "", "same"}) +
      raw_entry({"twin", '0', same, "", 0644}) + raw_entry({"other", '0', other}) +
      raw_entry({"short", '0', none}) + raw_entry({"none", '0', none}) +
      raw_entry({"small", '0', "small"}) + tar_end();
  Tree tree;
  const std::string kept = tree.outside.path() + "/kept";
  REQUIRE(make_folders(kept).ok());
  for (const char* name : {"same", "other", "short"}) {
    REQUIRE(write_file(kept + "/" + name, same).ok());
  }
  REQUIRE(write_file(kept + "/small", "small").ok());
  const FindKept find = [&](const TarItem& file) -> std::optional<std::string> {
    return kept + "/" + (file.path == "twin" ? "same" : file.path);
  };
  const std::string blob = gzip(tar);
  BytesSource source(as_bytes(blob));
  const Unpacked unpacked =
      unpack_layer(source, tree.top, OverlayMarks::User, Owners::AsSaid, CancelToken(), find)
          .value();
  CHECK(unpacked.diff_id == sha256(tar));
  const auto inode = [](const std::string& path) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status.st_ino;
  };
  const struct stat taken = tree.status("same");
  CHECK(taken.st_ino == inode(kept + "/same"));
  CHECK((taken.st_mode & 07777) == 04750);
  CHECK(taken.st_uid == 1);
  CHECK(taken.st_mtime == 99);
  CHECK(tree.status("link").st_ino == taken.st_ino);
  // One file is not two of the layer's; what differs, or is small, is written.
  for (const char* name : {"twin", "other", "short", "small"}) {
    CAPTURE(name);
    CHECK(tree.status(name).st_ino !=
          inode(kept + "/" + (name == std::string("twin") ? "same" : name)));
  }
  CHECK((read_file(tree.at("twin")).value() == same));
  CHECK((read_file(tree.at("other")).value() == other));
  CHECK((read_file(tree.at("short")).value() == none));
  CHECK((read_file(tree.at("none")).value() == none));
  CHECK((read_file(kept + "/other").value() == same));
}

TEST_CASE("unpack: a folder's set-group-id bit gives nothing to what the layer puts into it") {
  if (!is_root()) return;
  Tree tree;
  REQUIRE(tree.unpack(raw_entry({"shared", '5', "", "", 02775, 0, 7}) +
                      raw_entry({"shared/file", '0', "x"}) +
                      raw_entry({"shared/link", '2', "", "x"}) + raw_entry({"shared/folder", '5'}) +
                      tar_end())
              .ok());
  CHECK(tree.status("shared").st_gid == 7);
  for (const char* path : {"shared/file", "shared/link", "shared/folder"}) {
    CHECK(tree.status(path).st_gid == 0);
  }
  CHECK((tree.status("shared/folder").st_mode & 07000) == 0);
}

TEST_CASE("unpack: what removes becomes overlay's marks") {
  if (!is_root()) return;
  Tree tree;
  const std::string tar =
      raw_entry({".wh.gone"}) + raw_entry({"a/.wh.b"}) + raw_entry({"o/.wh..wh..opq"}) +
      raw_entry({"o/kept", '0', "x"}) + raw_entry({"again/f"}) + raw_entry({".wh.again"}) +
      raw_entry({".wh.first"}) + raw_entry({"first/f"}) + raw_entry({".wh.second"}) +
      raw_entry({"second", '0', "file"}) + raw_entry({".wh..wh.plnk"}) + tar_end();
  REQUIRE(tree.unpack(tar).ok());
  CHECK(tree.is_whiteout("gone"));
  CHECK(tree.is_whiteout("a/b"));
  CHECK(tree.is_opaque("o"));
  CHECK(path_exists(tree.at("o/kept")));
  CHECK(tree.is_opaque("again"));
  CHECK(path_exists(tree.at("again/f")));
  CHECK(tree.is_opaque("first"));
  CHECK(path_exists(tree.at("first/f")));
  CHECK(read_file(tree.at("second")).value() == "file");
  CHECK(!tree.is_opaque("a"));
  CHECK(list_folder(tree.top).value() ==
        std::vector<std::string>{"a", "again", "first", "gone", "o", "second"});
}

TEST_CASE("unpack: later entries replace earlier ones") {
  if (!is_root()) return;
  Tree tree;
  const std::string tar = raw_entry({"a/b/c", '0', "old"}) + raw_entry({"a/b", '0', "now a file"}) +
                          raw_entry({"f", '0', "old"}) + raw_entry({"f", '5', "", "", 0700}) +
                          raw_entry({"f/in"}) + raw_entry({"l", '2', "", "a"}) +
                          raw_entry({"l", '5'}) + raw_entry({"l/in"}) +
                          raw_entry({"d", '5', "", "", 0700}) + raw_entry({"d/x"}) +
                          raw_entry({"d", '5', "", "", 0755}) + tar_end();
  REQUIRE(tree.unpack(tar).ok());
  CHECK(read_file(tree.at("a/b")).value() == "now a file");
  CHECK(path_exists(tree.at("f/in")));
  CHECK(path_exists(tree.at("l/in")));
  CHECK(!path_exists(tree.at("a/in")));
  CHECK(path_exists(tree.at("d/x")));
  CHECK((tree.status("d").st_mode & 07777) == 0755);
}

TEST_CASE("unpack: nothing gets out, and what cannot be is refused") {
  if (!is_root()) return;
  struct Case {
    std::string name, tar, error;  // no error: taken, and harmless
  };
  const Case cases[] = {
      {"absolute", raw_entry({"/etc/x", '0', "in"}), ""},
      {"a link to the outside, followed",
       raw_entry({"l", '2', "", "../../../.."}) + raw_entry({"l/out", '0', "x"}), ""},
      {"an absolute link, followed",
       raw_entry({"l", '2', "", "/"}) + raw_entry({"l/victim", '0', "x"}), ""},
      {"a file over a link", raw_entry({"l", '2', "", "../victim"}) + raw_entry({"l", '0', "bad"}),
       ""},
      {"a hard link by a link",
       raw_entry({"l", '2', "", ".."}) + raw_entry({"h", '1', "", "l/victim"}),
       "which is no file of the layer"},
      {"a hard link to a link out, written through",
       raw_entry({"l", '2', "", "../victim"}) + raw_entry({"h", '1', "", "l"}) +
           raw_entry({"h", '0', "bad"}),
       ""},
      {"a swap of a folder for a link",
       raw_entry({"d/x"}) + raw_entry({"d", '2', "", ".."}) + raw_entry({"d/victim", '0', "bad"}),
       ""},
      {"a removal through a link", raw_entry({"l", '2', "", ".."}) + raw_entry({"l/victim", '5'}),
       ""},
      {"a whiteout through a link", raw_entry({"l", '2', "", ".."}) + raw_entry({"l/.wh.victim"}),
       ""},
      {"a whiteout of what is above", raw_entry({"a/.wh..."}), "marks nothing as removed"},
      {"a whiteout of itself", raw_entry({"a/.wh.."}), "marks nothing as removed"},
      {"a whiteout of nothing", raw_entry({".wh."}), "marks nothing as removed"},
      {"a path through a file", raw_entry({"f"}) + raw_entry({"f/x"}), "no folder of the layer"},
      {"a path through a loop", raw_entry({"l", '2', "", "l"}) + raw_entry({"l/x"}),
       "no folder of the layer"},
      {"a hard link to nothing", raw_entry({"h", '1', "", "x"}), "which is no file of the layer"},
      {"a hard link to a folder", raw_entry({"d", '5'}) + raw_entry({"h", '1', "", "d"}),
       "which is no file of the layer"},
      {"a link to nothing", raw_entry({"l", '2'}), "is a link to nothing"},
      {"an unknown kind", raw_entry({"v", 'V'}), "is of no kind known here"},
      {"a tar that is cut", raw_entry({"big", '0', std::string(3 << 20, 'x')}).substr(0, 2 << 20),
       "is cut short"},
      {"a size that lies", raw_entry({"x", '0', "x", "", 0644, 0, 0, 0, "00070000000"}),
       "is cut short"},
      {"gzip that is cut", gzip(raw_entry({"x"}) + tar_end()).substr(0, 60), "is cut short"},
      {"gzip with noise behind it", gzip(raw_entry({"x"}) + tar_end()) + "noise",
       "has other bytes behind"},
      {"zstd that is cut", zstd(raw_entry({"x"}) + tar_end()).substr(0, 30), "is cut short"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    Tree tree;
    const std::string victim = tree.outside.path() + "/victim";
    REQUIRE(write_file(victim, "good").ok());
    const auto result = tree.unpack(one.tar);
    if (one.error.empty()) {
      CHECK(result.ok());
      if (!result.ok()) MESSAGE(result.error().message);
    } else {
      REQUIRE(!result.ok());
      CHECK(result.error().message.find(one.error) != std::string::npos);
    }
    CHECK(read_file(victim).value() == "good");
    CHECK(list_folder(tree.outside.path()).value() == std::vector<std::string>{"tree", "victim"});
  }
}

TEST_CASE("unpack: what is left out") {
  if (!is_root()) return;
  Tree tree;
  const std::string tar = raw_entry({"dev", '5'}) + raw_entry({"dev/null", '3'}) +
                          raw_entry({"dev/console"}) + raw_entry({"proc", '2', "", "/etc"}) +
                          raw_entry({"sda", '4'}) + raw_entry({"sys/x", '0', "y"}) +
                          raw_pax({{"SCHILY.xattr.trusted.overlay.redirect", "/etc"},
                                   {"SCHILY.xattr.user.overlay.redirect", "/etc"},
                                   {"SCHILY.xattr.user.mine", "kept"}}) +
                          raw_entry({"f", '0', "x"}) + tar_end();
  const Unpacked unpacked = tree.unpack(tar).value();
  CHECK(unpacked.left_out == LeftOut{1, 2, 4});
  CHECK(list_folder(tree.top).value() == std::vector<std::string>{"dev", "f"});
  CHECK(list_folder(tree.at("dev")).value().empty());
  char value[8];
  CHECK(::getxattr(tree.at("f").c_str(), "user.mine", value, sizeof value) == 4);
  CHECK(::getxattr(tree.at("f").c_str(), "user.overlay.redirect", value, sizeof value) < 0);
}

TEST_CASE("unpack: a table of contents is no file of the image") {
  Tree tree;
  const std::string tar = raw_entry({"a", '0', "a"}) +
                          raw_entry({".no.prefetch.landmark", '0', "\x0f"}) +
                          raw_entry({"b/stargz.index.json", '0', "mine"}) +
                          raw_entry({"stargz.index.json", '0', "{}"}) + tar_end();
  REQUIRE(tree.unpack(tar).ok());
  CHECK(list_folder(tree.at("")).value() == std::vector<std::string>{"a", "b"});
  CHECK(list_folder(tree.at("b")).value() == std::vector<std::string>{"stargz.index.json"});
}

TEST_CASE("unpack: many entries, the same names again and again") {
  if (!is_root()) return;
  std::string tar;
  for (int i = 0; i < 20'000; ++i) tar += raw_entry({fmt::format("d{}/e/f", i % 1000, i)});
  tar += tar_end();
  Tree tree;
  CHECK(tree.unpack(gzip(tar)).ok());
  CHECK(list_folder(tree.top).value().size() == 1000);
}
