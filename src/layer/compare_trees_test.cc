#include "layer/compare_trees.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>

#include "base/file.h"
#include "layer/merged_tree.h"

namespace slipway::layer {
namespace {

TreeLayer make_layer(const TemporaryFolder& room, const std::string& name) {
  const std::string path = join_path(room.path(), name);
  REQUIRE(make_folders(path).ok());
  return {sha256(name), path};
}

void put(const TreeLayer& layer, const std::string& path, std::string_view text) {
  const std::string full = layer.path + path;
  REQUIRE(make_folders(parent_path(full)).ok());
  REQUIRE(write_file(full, text).ok());
}

std::string word(const std::optional<FileLook>& look) {
  static constexpr std::array kWords{"file", "link", "folder", "other"};
  return look ? kWords[static_cast<std::size_t>(look->kind)] : "nothing";
}

std::vector<std::string> lines_of(const std::vector<PathChange>& changes) {
  std::vector<std::string> lines;
  for (const PathChange& change : changes) {
    lines.push_back(fmt::format("{} {} {}{}", change.path, word(change.before), word(change.after),
                                change.has_other_contents ? " contents" : ""));
  }
  return lines;
}

std::vector<std::string> compare(const std::vector<TreeLayer>& before,
                                 const std::vector<TreeLayer>& after) {
  return lines_of(compare_trees(before, after, CompareOwners::Yes, {}).value());
}

using Lines = std::vector<std::string>;

TEST_CASE("what differs, and nothing else") {
  const auto room = TemporaryFolder::create("/tmp").value();
  const TreeLayer base = make_layer(room, "base"), one = make_layer(room, "one"),
                  two = make_layer(room, "two");
  put(base, "/etc/same", "x");
  put(base, "/lib/big", "from the base");
  put(one, "/lib/only-one", "1");
  put(one, "/lib/both", "abc");
  put(two, "/lib/both", "abd");
  put(one, "/lib/equal", "equal");
  put(two, "/lib/equal", "equal");
  put(two, "/lib/big/now-a-folder", "");
  REQUIRE(::symlink("a", (one.path + "/lib/link").c_str()) == 0);
  REQUIRE(::symlink("b", (two.path + "/lib/link").c_str()) == 0);
  put(one, "/lib/mode", "m");
  put(two, "/lib/mode", "m");
  REQUIRE(::chmod((two.path + "/lib/mode").c_str(), 04755) == 0);
  CHECK(compare({base, one}, {base, one}) == Lines{});
  CHECK(compare({}, {}) == Lines{});
  CHECK(compare({base, one}, {base, two}) ==
        Lines{"/lib/big file folder", "/lib/big/now-a-folder nothing file",
              "/lib/both file file contents", "/lib/link link link", "/lib/mode file file",
              "/lib/only-one file nothing"});
  CHECK(compare({base}, {}) == Lines{"/etc folder nothing", "/etc/same file nothing",
                                     "/lib folder nothing", "/lib/big file nothing"});
}

TEST_CASE("a folder that both have from the same layers is not entered") {
  const auto room = TemporaryFolder::create("/tmp").value();
  const TreeLayer base = make_layer(room, "base"), one = make_layer(room, "one");
  put(base, "/shared/deep/file", "x");
  put(one, "/own/file", "y");
  // What stands there cannot be read as a folder: the walk would fail.
  TreeLayer gone = base;
  REQUIRE(::rename((base.path + "/shared/deep").c_str(), (room.path() + "/away").c_str()) == 0);
  REQUIRE(::symlink("/nowhere", (base.path + "/shared/deep").c_str()) == 0);
  CHECK(compare({gone}, {gone, one}) == Lines{"/own nothing folder", "/own/file nothing file"});
}

TEST_CASE("hard links are one file, whatever their names") {
  const auto room = TemporaryFolder::create("/tmp").value();
  const TreeLayer one = make_layer(room, "one"), two = make_layer(room, "two");
  put(one, "/a", "contents");
  REQUIRE(::link((one.path + "/a").c_str(), (one.path + "/b").c_str()) == 0);
  REQUIRE(::link((one.path + "/a").c_str(), (two.path + "/a").c_str()) == 0);
  put(two, "/b", "contents");
  CHECK(compare({one}, {two}) == Lines{});
  CHECK(measure_tree(one.path, {}).value() == 8);
  CHECK(measure_tree(two.path, {}).value() == 16);
}

void fill_randomly(const std::string& folder, int depth, std::mt19937& random) {
  for (const char* name : {"a", "b", "c"}) {
    const std::string path = join_path(folder, name);
    switch (random() % 6) {
      case 0:
        REQUIRE(
            write_file(path, random() % 2 == 0 ? "x" : "y", random() % 2 == 0 ? 0644 : 0755).ok());
        break;
      case 1:
        REQUIRE(::mknod(path.c_str(), S_IFCHR | 0600, ::makedev(0, 0)) == 0);
        break;
      case 2:
        REQUIRE(::symlink(random() % 2 == 0 ? "a" : "b", path.c_str()) == 0);
        break;
      case 3:
      case 4:
        REQUIRE(make_folders(path).ok());
        if (random() % 4 == 0)
          REQUIRE(::setxattr(path.c_str(), "user.overlay.opaque", "y", 1, 0) == 0);
        if (depth > 0) fill_randomly(path, depth - 1, random);
        break;
      default:
        break;
    }
  }
}

/// The same question, asked of two merged trees.
Lines compare_merged(const std::vector<TreeLayer>& before, const std::vector<TreeLayer>& after,
                     const TemporaryFolder& room) {
  std::vector<TreeLayer> merged;
  for (const auto& layers : {before, after}) {
    std::vector<std::string> folders;
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer)
      folders.push_back(layer->path);
    merged.push_back(make_layer(room, fmt::format("merged{}", merged.size())));
    REQUIRE(remove_tree(merged.back().path).ok());
    REQUIRE(make_folders(merged.back().path).ok());
    REQUIRE(merge_layers(folders, merged.back().path, {}).ok());
  }
  return compare({merged[0]}, {merged[1]});
}

TEST_CASE("random stacks differ where their merged trees do" *
          doctest::skip(::geteuid() != 0)) {  // whiteouts are devices
  const auto room = TemporaryFolder::create("/var/tmp").value();
  std::mt19937 random(7);
  for (int round = 0; round < 150; ++round) {
    std::vector<TreeLayer> layers;
    for (int i = 0; i < 5; ++i) {
      layers.push_back(make_layer(room, fmt::format("{}-{}", round, i)));
      fill_randomly(layers.back().path, 2, random);
    }
    std::vector<TreeLayer> before, after;
    for (const TreeLayer& layer : layers) {
      if (random() % 3 != 0 || before.empty()) before.push_back(layer);
      if (random() % 3 != 0 || after.empty()) after.push_back(layer);
    }
    if (random() % 4 == 0) std::ranges::reverse(after);
    CAPTURE(round);
    CHECK(compare(before, after) == compare_merged(before, after, room));
    for (const TreeLayer& layer : layers) REQUIRE(remove_tree(layer.path).ok());
  }
}

}  // namespace
}  // namespace slipway::layer
