#include "plan/image_files.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"

namespace slipway::plan {
namespace {

class FakeLayers {
 public:
  explicit FakeLayers(std::size_t count) : folder_(TemporaryFolder::create("/tmp").value()) {
    for (std::size_t i = 0; i < count; ++i) {
      layers_.push_back({sha256(fmt::format("{}", i)), fmt::format("{}/{}", folder_.path(), i)});
      REQUIRE(make_folders(layers_.back().path).ok());
    }
  }
  std::string place(std::size_t layer, const std::string& path) {
    const std::string whole = layers_[layer].path + path;
    REQUIRE(make_folders(parent_path(whole)).ok());
    return whole;
  }
  void file(std::size_t layer, const std::string& path, std::string_view text) {
    REQUIRE(write_file(place(layer, path), text).ok());
  }
  void link(std::size_t layer, const std::string& path, const std::string& target) {
    REQUIRE(::symlink(target.c_str(), place(layer, path).c_str()) == 0);
  }
  /// False where this user may make none.
  bool hide(std::size_t layer, const std::string& path) {
    return ::mknod(place(layer, path).c_str(), S_IFCHR | 0600, makedev(0, 0)) == 0;
  }
  ImageFiles files() const { return ImageFiles(layers_); }
  const Digest& id(std::size_t layer) const { return layers_[layer].id; }

 private:
  TemporaryFolder folder_;
  std::vector<LayerFolder> layers_;
};

TEST_CASE("the topmost layer that has a file") {
  FakeLayers layers(3);
  layers.file(0, "/etc/a", "top");
  layers.file(1, "/etc/a", "middle");
  layers.file(2, "/etc/b", "low");
  const ImageFiles files = layers.files();
  CHECK(files.text("/etc/a") == "top");
  CHECK(files.text("etc//./b") == "low");
  CHECK(files.text("/etc") == "");
  CHECK(files.text("/etc/a/b") == "");
  CHECK(files.names("/etc") == std::vector<std::string>{"a", "b"});
  CHECK(files.find("/etc/b")->layer == layers.id(2));
  CHECK(files.find("/etc")->path == "/etc");
  CHECK_FALSE(files.find("/etc/c"));
}

TEST_CASE("links stay inside, through all layers") {
  FakeLayers layers(2);
  layers.link(0, "/usr/local/cuda", "/etc/alternatives/cuda");
  layers.link(1, "/etc/alternatives/cuda", "../../usr/local/cuda-12.8");
  layers.file(1, "/usr/local/cuda-12.8/compat/x", "yes");
  layers.link(0, "/up", "../../../../../../usr/../up2");
  layers.file(1, "/up2", "held");
  layers.link(0, "/round", "/round");
  layers.link(0, "/host", "/proc/self/root/etc");
  layers.link(0, "/gone", "/nothing");
  const ImageFiles files = layers.files();
  const auto found = files.find("/usr/local/cuda/compat/x");
  REQUIRE(found);
  CHECK(found->path == "/usr/local/cuda-12.8/compat/x");
  CHECK(read_file(found->on_host).value() == "yes");
  CHECK(files.text("/up") == "held");
  CHECK_FALSE(files.find("/round"));
  CHECK_FALSE(files.find("/host/passwd"));
  CHECK_FALSE(files.find("/gone"));
  CHECK_FALSE(files.is_free_of_links("/gone/deeper"));
  CHECK_FALSE(files.is_free_of_links("/usr/local/cuda/compat/y"));
  CHECK(files.is_free_of_links("/usr/local/cuda-12.8/compat/y"));
  CHECK(files.is_free_of_links("/never/there"));
}

TEST_CASE("a layer hides what is below it") {
  FakeLayers layers(3);
  layers.file(2, "/a/low", "1");
  layers.link(1, "/a", "/elsewhere");  // takes the folder's place
  layers.file(0, "/a/top", "2");       // and a folder that of the link
  layers.file(2, "/b/low", "3");
  layers.file(1, "/b/middle", "4");
  layers.file(2, "/c", "5");
  const bool can_hide = layers.hide(1, "/c") && layers.hide(1, "/b/low");
  const ImageFiles files = layers.files();
  CHECK(files.names("/a") == std::vector<std::string>{"top"});
  CHECK_FALSE(files.find("/a/low"));
  if (!can_hide) return;
  CHECK_FALSE(files.find("/c"));
  CHECK(files.names("/b") == std::vector<std::string>{"middle"});
  const std::string folder = layers.place(1, "/b");
  REQUIRE(::setxattr(folder.c_str(), "trusted.overlay.opaque", "y", 1, 0) == 0);
  layers.file(2, "/b/other", "6");
  CHECK(files.names("/b") == std::vector<std::string>{"middle"});
  CHECK_FALSE(files.find("/b/other"));
}

TEST_CASE("pipes and devices are never opened") {
  FakeLayers layers(1);
  REQUIRE(::mkfifo(layers.place(0, "/pipe").c_str(), 0644) == 0);
  const auto found = layers.files().find("/pipe");
  REQUIRE(found);
  CHECK_FALSE(found->file);
  CHECK(layers.files().text("/pipe") == "");
}

}  // namespace
}  // namespace slipway::plan
