#include "lazy/tree.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "base/file.h"
#include "layer/merged_tree.h"
#include "layer/tree_unpacker.h"
#include "lazy/folder_entries.h"

using namespace slipway;
using namespace slipway::lazy;

namespace {

using Kind = layer::TarItem::Kind;

Entry entry(Kind kind, const std::string& path, const std::string& target = {}) {
  Entry entry;
  entry.item.kind = kind;
  entry.item.path = path;
  entry.item.target = target;
  entry.item.mode = kind == Kind::Folder ? 0755 : 0644;
  return entry;
}

Entry file(const std::string& path, const std::string& contents) {
  Entry made = entry(Kind::File, path);
  made.item.size_bytes = contents.size();
  made.contents = Extent{1, 2, 0, sha256(contents)};
  return made;
}

void list(const Tree& tree, NodeId id, const std::string& path, std::vector<std::string>& lines) {
  const Node& node = tree.node(id);
  const layer::TarItem& item = node.item;
  lines.push_back(fmt::format("{} {} {:o} {}:{} {} {} {} {}", path, static_cast<int>(item.kind),
                              item.kind == Kind::Link ? 0 : item.mode, item.uid, item.gid,
                              item.time_seconds, item.size_bytes, item.target,
                              item.kind == Kind::Folder ? 0 : node.links));
  for (const auto& [name, child] : node.children) list(tree, child, path + "/" + name, lines);
}

std::vector<std::string> list(Tree tree) {
  tree.count_links();
  std::vector<std::string> lines;
  list(tree, kRoot, "", lines);
  return lines;
}

/// A layer with whiteouts, opaque folders, links and what lies without its folder.
class RandomLayer {
 public:
  explicit RandomLayer(std::mt19937& random) : random_(random) {}
  std::vector<Entry> make() {
    fill("", 0);
    return std::move(entries_);
  }

 private:
  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }
  void add(Entry made) {
    made.item.uid = below(3);
    made.item.gid = below(3);
    made.item.time_seconds = 1'000'000 + below(1000);
    if (made.item.kind != Kind::Link) made.item.mode = 0700U | below(64);
    entries_.push_back(std::move(made));
  }
  void fill(const std::string& folder, int depth) {
    for (const char* name : {"a", "b", "c"}) {
      const std::string path = folder.empty() ? name : folder + "/" + name;
      switch (below(8)) {
        case 0:
          add(file(path, std::string(1 + below(9), 'x')));
          files_.push_back(path);
          break;
        case 1:
          add(entry(Kind::Link, path, "../" + std::string(name)));
          break;
        case 2:
          if (!files_.empty())
            entries_.push_back(entry(Kind::HardLink, path,
                                     files_[below(static_cast<std::uint32_t>(files_.size()))]));
          break;
        case 3:
          add(entry(Kind::File, (folder.empty() ? "" : folder + "/") + ".wh." + name));
          break;
        case 4:
        case 5:
        case 6:
          if (below(4) > 0) add(entry(Kind::Folder, path));
          if (below(5) == 0) add(entry(Kind::File, path + "/.wh..wh..opq"));
          if (depth < 3) fill(path, depth + 1);
          break;
        default:
          break;
      }
    }
  }
  std::mt19937& random_;
  std::vector<Entry> entries_;
  std::vector<std::string> files_;
};

}  // namespace

TEST_CASE("upper layers lie over lower ones") {
  Tree tree;
  REQUIRE(tree.add_layer(0, {entry(Kind::Folder, "etc"), file("etc/a", "a"), file("etc/b", "b"),
                             entry(Kind::Folder, "opt"), file("opt/x", "x"),
                             entry(Kind::Link, "lib", "usr/lib")})
              .ok());
  REQUIRE(tree.add_layer(1, {file("etc/.wh.a", ""), file("etc/c", "c"),
                             file("opt/.wh..wh..opq", ""), file("opt/y", "y"), file("lib/z", "z")})
              .ok());
  tree.count_links();
  CHECK(!tree.resolve("/etc/a"));
  CHECK(tree.resolve("/etc/b"));
  CHECK(tree.resolve("/etc/c"));
  CHECK(!tree.resolve("/opt/x"));
  CHECK(tree.resolve("/opt/y"));
  // A folder of a layer replaces a link of the layers below, as with overlayfs.
  CHECK(tree.node(*tree.resolve("/lib")).item.kind == Kind::Folder);
  CHECK(tree.resolve("/lib/z"));
}

TEST_CASE("links are followed inside, and never out") {
  Tree tree;
  REQUIRE(tree.add_layer(0, {entry(Kind::Folder, "usr"), entry(Kind::Folder, "usr/lib"),
                             file("usr/lib/x", "x"), entry(Kind::Link, "lib", "usr/lib"),
                             entry(Kind::Link, "up", "../../../usr"),
                             entry(Kind::Link, "usr/round", "round"),
                             entry(Kind::Link, "absolute", "/usr/lib/x")})
              .ok());
  const auto x = tree.resolve("/usr/lib/x");
  REQUIRE(x);
  CHECK(tree.resolve("/lib/x") == x);
  CHECK(tree.resolve("up/lib/../lib/x") == x);
  CHECK(tree.resolve("/absolute") == x);
  CHECK(!tree.resolve("/usr/round"));
  CHECK(!tree.resolve("/nothing/x"));
}

TEST_CASE("what unpacking leaves out is left out, and what it refuses is refused") {
  Tree tree;
  Entry with_attributes = file("a", "a");
  with_attributes.item.attributes = {
      {"user.a", "1"}, {"trusted.overlay.opaque", "y"}, {"security.capability", "c"}};
  REQUIRE(
      tree.add_layer(0, {entry(Kind::Device, "device"), file("dev/x", "x"),
                         entry(Kind::Folder, "proc"), file("proc/version", "v"), with_attributes})
          .ok());
  CHECK(!tree.resolve("/device"));
  CHECK(!tree.resolve("/dev/x"));
  CHECK(tree.resolve("/proc"));
  CHECK(!tree.resolve("/proc/version"));
  CHECK(tree.node(*tree.resolve("/a")).item.attributes.size() == 2);
  const auto refused = [](std::vector<Entry> entries) {
    Tree fresh;
    const auto added = fresh.add_layer(0, entries);
    REQUIRE(!added.ok());
    return added.error().kind;
  };
  CHECK(refused({entry(Kind::HardLink, "b", "a")}) == ErrorKind::Corrupt);
  CHECK(refused({file("a", "a"), file("a/b", "b")}) == ErrorKind::Corrupt);
  CHECK(refused({entry(Kind::Link, "a", "b"), file("a/b", "b")}) == ErrorKind::Unsupported);
}

TEST_CASE("random layers: the tree that unpacking and merging makes") {
  if (::geteuid() != 0) return;  // whiteouts are device nodes
  std::mt19937 random(20261126);
  int compared = 0;
  for (int round = 0; round < 60; ++round) {
    const TemporaryFolder top = TemporaryFolder::create("/var/tmp", "lazy-tree").value();
    Tree tree;
    std::vector<std::string> folders;
    bool is_sound = true;
    for (std::size_t i = 0; i < 3 && is_sound; ++i) {
      const std::vector<Entry> entries = RandomLayer(random).make();
      const std::string folder = join_path(top.path(), std::to_string(i));
      REQUIRE(make_folders(folder).ok());
      folders.insert(folders.begin(), folder);
      auto unpacker =
          layer::TreeUnpacker::open(folder, layer::OverlayMarks::Trusted, layer::Owners::AsSaid);
      REQUIRE(unpacker.ok());
      for (const Entry& one : entries) {
        const std::string contents(one.item.size_bytes, 'x');
        BytesSource source(as_bytes(contents));
        is_sound = is_sound && unpacker->add(one.item, source).ok();
      }
      is_sound = is_sound && unpacker->finish().ok();
      const bool is_added = tree.add_layer(i, entries).ok();
      CHECK((is_added || !is_sound));
      is_sound = is_sound && is_added;
    }
    if (!is_sound) continue;
    ++compared;
    const std::string merged = join_path(top.path(), "merged");
    REQUIRE(make_folders(merged).ok());
    REQUIRE(layer::merge_layers(folders, merged, CancelToken()).ok());
    Tree of_disk;
    const auto entries = list_folder_entries(merged);
    REQUIRE(entries.ok());
    REQUIRE(of_disk.add_layer(0, *entries).ok());
    std::vector<std::string> expected = list(std::move(of_disk)), got = list(std::move(tree));
    // Of the root itself nobody says anything.
    expected.erase(expected.begin());
    got.erase(got.begin());
    CHECK(got == expected);
  }
  CHECK(compared > 20);
}

TEST_CASE("a layer's folder tells what it removes, as root's or a user's") {
  for (const auto marks : {layer::OverlayMarks::Trusted, layer::OverlayMarks::User}) {
    if (marks == layer::OverlayMarks::Trusted && ::geteuid() != 0) continue;
    const TemporaryFolder top = TemporaryFolder::create("/var/tmp", "marks").value();
    auto unpacker = layer::TreeUnpacker::open(top.path(), marks, layer::Owners::Caller);
    REQUIRE(unpacker.ok());
    for (const char* path : {"hidden", "hidden/.wh..wh..opq", ".wh.gone"}) {
      layer::TarItem item;
      item.path = path;
      item.mode = 0755;
      item.kind = item.path == "hidden" ? Kind::Folder : Kind::File;
      BytesSource nothing({});
      REQUIRE(unpacker->add(item, nothing).ok());
    }
    REQUIRE(unpacker->finish().ok());
    const auto entries = list_folder_entries(top.path());
    REQUIRE(entries.ok());
    std::vector<std::string> paths;
    for (const Entry& one : *entries) paths.push_back(one.item.path);
    std::ranges::sort(paths);
    CHECK(paths == std::vector<std::string>{".wh.gone", "hidden", "hidden/.wh..wh..opq"});
  }
}
