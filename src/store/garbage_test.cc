#include "store/garbage.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <map>

#include "store/testing/temporary_store.h"

using namespace slipway;
using namespace slipway::store;
using slipway::store::testing::TemporaryStore;

namespace {

/// Two images that share one blob and one layer, and something that nobody needs.
struct Scene {
  Scene() {
    for (const char* name : {"one", "two"}) {
      const Digest manifest = put(std::string("manifest ") + name);
      graph[manifest].blobs = {put("shared blob"), put(std::string("blob ") + name)};
      home.add_layer("shared layer", "x");
      home.add_layer(std::string("layer ") + name, std::string(5000, 'y'));
      graph[manifest].layers = {sha256("shared layer"), sha256(std::string("layer ") + name)};
      const Digest key = sha256(std::string("key ") + name);
      store().put_known("elf", key, "fact").value();
      store().put_recipe(key, "recipe").value();
      graph[manifest].known = graph[manifest].recipes = {key};
      store().set_image({"", name, "latest"}, manifest).value();
    }
    put("nobody's blob");
    home.add_layer("nobody's layer", std::string(10000, 'z'));
    store().put_known("elf", sha256("nobody"), "fact").value();
    store().put_known("python", sha256("nobody"), "fact").value();
  }

  const Store& store() const { return home.store; }
  Digest put(const std::string& text) { return store().put_blob_bytes(as_bytes(text)).value(); }
  bool has(const std::string& text) const { return store().has_blob(sha256(text)); }
  bool has_layer(const std::string& name) const { return store().has_layer(sha256(name)); }

  Result<Swept> collect(GarbageOptions options = {}) {
    return collect_garbage(
        store(), options,
        [&](std::span<const Digest> manifests) -> Result<Reachable> {
          asked.assign(manifests.begin(), manifests.end());
          Reachable all;
          all.known_kinds = {"python"};
          for (const Digest& manifest : manifests) {
            const Reachable& part = graph[manifest];
            all.blobs.insert(part.blobs.begin(), part.blobs.end());
            all.layers.insert(part.layers.begin(), part.layers.end());
            all.known.insert(part.known.begin(), part.known.end());
            all.recipes.insert(part.recipes.begin(), part.recipes.end());
          }
          return all;
        },
        reporter, cancel);
  }

  TemporaryStore home;
  std::map<Digest, Reachable> graph;
  std::vector<Digest> asked;
  SilentReporter reporter;
  CancelToken cancel;
};

/// Gives up as soon as it is told to wait.
class ImpatientReporter : public Reporter {
 public:
  explicit ImpatientReporter(CancelToken cancel) : cancel_(std::move(cancel)) {}
  TaskId start(std::string_view, std::string_view, std::uint64_t) override { return 0; }
  void advance(TaskId, std::uint64_t) override {}
  void finish(TaskId) override {}
  void done(std::string_view) override {}
  void note(std::string_view line) override {
    said = line;
    cancel_.cancel();
  }
  void warn(std::string_view) override {}
  std::string said;

 private:
  CancelToken cancel_;
};

}  // namespace

TEST_CASE("what no image needs goes, and is counted first") {
  Scene scene;
  GarbageOptions count;
  count.effect = Effect::Count;
  const Swept counted = scene.collect(count).value();
  CHECK(scene.has("nobody's blob"));
  CHECK(scene.has_layer("nobody's layer"));

  const Swept swept = scene.collect().value();
  CHECK(swept.total() == counted.total());
  CHECK(swept.blobs.count == 1);
  CHECK(swept.blobs.apparent_bytes == 13);
  CHECK(swept.layers.count == 1);
  CHECK(swept.layers.apparent_bytes == 10000);
  CHECK(swept.layers.disk_bytes >= 10000);
  CHECK(swept.known.count == 1);
  CHECK(swept.recipes.count == 0);
  CHECK_FALSE(scene.has("nobody's blob"));
  CHECK_FALSE(scene.has_layer("nobody's layer"));
  CHECK_FALSE(path_exists(scene.store().layer_path(sha256("nobody's layer"))));
  CHECK(scene.store().find_known("python", sha256("nobody")).value().has_value());
  for (const char* name : {"one", "two"}) {
    CHECK(scene.has(std::string("manifest ") + name));
    CHECK(scene.has(std::string("blob ") + name));
    CHECK(scene.has_layer(std::string("layer ") + name));
  }
  CHECK(scene.collect().value().total() == Tally{});
}

TEST_CASE("bytes that another tree has too are not given back") {
  Scene scene;
  // Both are nobody's; the third name is in a layer that stays.
  const std::string one = scene.store().layer_path(sha256("nobody's layer"));
  const std::string stays = scene.store().layer_path(sha256("layer one"));
  REQUIRE(write_file(one + "/alone", std::string(1000, 'x')).ok());
  REQUIRE(::link((one + "/alone").c_str(), (one + "/again").c_str()) == 0);
  REQUIRE(write_file(one + "/shared", std::string(5000, 'x')).ok());
  REQUIRE(::link((one + "/shared").c_str(), (stays + "/shared").c_str()) == 0);
  CHECK(scene.collect().value().layers.apparent_bytes == 11000);
  CHECK(path_exists(stays + "/shared"));
}

TEST_CASE("a removed image takes what only it needed") {
  Scene scene;
  REQUIRE(scene.store().remove_image({"", "two", "latest"}).ok());
  const Swept swept = scene.collect().value();
  CHECK(scene.asked == std::vector<Digest>{sha256("manifest one")});
  CHECK(swept.blobs.count == 3);
  CHECK(swept.layers.count == 2);
  CHECK(swept.recipes.count == 1);
  CHECK(scene.has("shared blob"));
  CHECK(scene.has_layer("shared layer"));
  CHECK_FALSE(scene.has("manifest two"));
  CHECK_FALSE(scene.has_layer("layer two"));
}

TEST_CASE("under Keep::Runs no image keeps anything") {
  Scene scene;
  GarbageOptions all;
  all.keep = Keep::Runs;
  CHECK(scene.collect(all).value().images == 2);
  CHECK(scene.asked.empty());
  CHECK(scene.store().list_images().value().empty());
  CHECK_FALSE(scene.has("blob one"));
  CHECK_FALSE(scene.has_layer("shared layer"));
}

TEST_CASE("a build holds off garbage collection, and garbage collection a build") {
  Scene scene;
  ImpatientReporter impatient(scene.cancel);
  GarbageOptions at_once;
  at_once.when_busy = WhenBusy::Fail;
  {
    const Lease lease = scene.store().lease(scene.reporter, scene.cancel).value();
    const Lease second = scene.store().lease(scene.reporter, scene.cancel).value();
    const Error busy = scene.collect(at_once).error();
    CHECK(busy.kind == ErrorKind::Unavailable);
    CHECK(busy.message.find(fmt::format("process {}", ::getpid())) != std::string::npos);
    CHECK(scene.has("nobody's blob"));
  }
  const auto result = collect_garbage(
      scene.store(), at_once,
      [&](std::span<const Digest>) -> Result<Reachable> {
        const auto lease = scene.store().lease(impatient, scene.cancel);
        CHECK(lease.error().kind == ErrorKind::Cancelled);
        return make_error(ErrorKind::Corrupt, "cannot read a manifest");
      },
      scene.reporter, CancelToken());
  CHECK(impatient.said.find("waiting for process") == 0);
  // The graph could not be told: nothing goes.
  CHECK(result.error().kind == ErrorKind::Corrupt);
  CHECK(scene.has("nobody's blob"));
}

TEST_CASE("what looks spoilt, half-removed or strange harms nothing") {
  Scene scene;
  const std::string home = scene.store().home();
  // A layer that no longer counts, though it is needed; leftovers of a killed collection; a
  // read-only tree; names that are not ours.
  REQUIRE(remove_file(home + "/layer-states/" + sha256("layer one").hex()).ok());
  REQUIRE(make_folders(home + "/tmp/gone." + sha256("nobody's layer").hex() + "/a").ok());
  REQUIRE(write_file(home + "/tmp/blob.x", "half").ok());
  REQUIRE(write_file(home + "/layer-states/" + sha256("stray").hex(), "settled\n").ok());
  REQUIRE(make_folders(home + "/layers/not-a-digest").ok());
  const std::string tree = scene.store().layer_path(sha256("nobody's layer"));
  REQUIRE(make_folders(tree + "/read/only").ok());
  REQUIRE(write_file(tree + "/read/only/file", "x").ok());
  REQUIRE(::link((tree + "/read/only/file").c_str(), (tree + "/twin").c_str()) == 0);
  REQUIRE(::symlink("/etc", (tree + "/link").c_str()) == 0);
  REQUIRE(::chmod((tree + "/read/only").c_str(), 0555) == 0);
  REQUIRE(::chmod((tree + "/read").c_str(), 0500) == 0);

  const Swept swept = scene.collect().value();
  CHECK(swept.layers.count == 2);
  CHECK(swept.layers.apparent_bytes == 5000 + 10000 + 1);
  CHECK(swept.temporary.count == 2);
  CHECK_FALSE(path_exists(tree));
  CHECK(path_exists("/etc/passwd"));
  CHECK(path_exists(home + "/layers/not-a-digest"));
  CHECK_FALSE(path_exists(home + "/layer-states/" + sha256("stray").hex()));
  CHECK(scene.home.temporary_names().empty());
}

TEST_CASE("a ref that holds no digest stops the collection before it removes anything") {
  Scene scene;
  REQUIRE(write_file(scene.store().home() + "/refs/images/one/:latest", "").ok());
  CHECK(scene.collect().error().kind == ErrorKind::Corrupt);
  CHECK(scene.has("nobody's blob"));
}

TEST_CASE("a cancelled collection stops") {
  Scene scene;
  scene.cancel.cancel();
  CHECK(scene.collect().error().kind == ErrorKind::Cancelled);
  CHECK(scene.has("nobody's blob"));
}

TEST_CASE("a signature stays as long as its image") {
  Scene scene;
  const Digest signature = scene.put("signature");
  for (const char* name : {"one", "two"}) {
    const Digest image = sha256(std::string("manifest ") + name);
    REQUIRE(scene.store().add_referrer(image, signature).ok());
    scene.graph[image].blobs.insert(signature);
  }
  const auto list = [&](const char* name) {
    return scene.store().list_referrers(sha256(std::string("manifest ") + name)).value();
  };
  CHECK(list("one") == std::vector{signature});
  REQUIRE(scene.store().remove_image({"", "one", "latest"}).ok());
  REQUIRE(scene.collect().ok());
  CHECK(list("one").empty());
  CHECK(list("two") == std::vector{signature});
  CHECK(scene.has("signature"));
  REQUIRE(scene.store().remove_image({"", "two", "latest"}).ok());
  REQUIRE(scene.collect().ok());
  CHECK_FALSE(scene.has("signature"));
}

namespace {

/// Five images, of which `i0` is unused for the longest time; each brings a layer of 100 kB.
struct Ages : Scene {
  Ages() {
    for (const char* name : {"one", "two"}) store().remove_image({"", name, "latest"}).value();
    REQUIRE(collect().ok());
    for (int i = 0; i < 5; ++i) {
      const std::string name = fmt::format("i{}", i);
      const Digest manifest = put("manifest " + name);
      graph[manifest].layers = {sha256(name)};
      home.add_layer(name, std::string(100'000, 'x'));
      store().set_image({"", name, "latest"}, manifest).value();
      set_age(name, std::chrono::days(10 * (5 - i)));
    }
  }
  void set_age(const std::string& name, std::chrono::seconds age) {
    const std::string path = store().home() + "/refs/images/" + name + "/:latest";
    const timespec then{::time(nullptr) - age.count(), 0};
    const timespec times[] = {then, then};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  }
  static UtcTime days_ago(int days) {
    return UtcTime(std::chrono::seconds(::time(nullptr)) - std::chrono::days(days));
  }
  std::string left() {
    std::string names;
    const std::vector<StoredImage> images = store().list_images().value();
    for (const StoredImage& image : images) names += image.name.name + " ";
    return names;
  }
};

}  // namespace

TEST_CASE("images go by their last use") {
  Ages scene;
  GarbageOptions options;
  options.unused_since = Ages::days_ago(25);
  options.effect = Effect::Count;
  const Swept counted = scene.collect(options).value();
  CHECK(counted.forgotten.size() == 3);
  CHECK(scene.left() == "i0 i1 i2 i3 i4 ");
  options.effect = Effect::Remove;
  options.keep_images = {{"", "i1", "latest"}};
  scene.store().note_use({"", "i0", "latest"});
  const Swept swept = scene.collect(options).value();
  CHECK(swept.forgotten == std::vector<ImageName>{{"", "i2", "latest"}});
  CHECK(swept.layers.count == 1);
  CHECK(scene.left() == "i0 i1 i3 i4 ");
  CHECK_FALSE(swept.left_bytes.has_value());
  scene.store().note_use({"", "not-there", "latest"});
  CHECK(scene.left() == "i0 i1 i3 i4 ");
}

TEST_CASE("images go until the store fits") {
  struct Case {
    std::uint64_t keep_bytes;
    const char* left;
  };
  // A layer takes 100 kB and its folder; the rest of the store some kB.
  for (const Case& one : {Case{10'000'000, "i0 i1 i2 i3 i4 "}, Case{540'000, "i1 i2 i3 i4 "},
                          Case{310'000, "i3 i4 "}, Case{0, ""}}) {
    CAPTURE(one.keep_bytes);
    Ages scene;
    GarbageOptions options;
    options.keep_bytes = one.keep_bytes;
    const Swept swept = scene.collect(options).value();
    CHECK(scene.left() == one.left);
    CHECK((*swept.left_bytes <= one.keep_bytes || one.keep_bytes == 0));
  }
  // Age first, then size; and what is kept is not even asked.
  Ages scene;
  GarbageOptions options;
  options.unused_since = Ages::days_ago(45);
  options.keep_bytes = 420'000;
  options.keep_images = {{"", "i1", "latest"}};
  REQUIRE(scene.collect(options).ok());
  CHECK(scene.left() == "i1 i3 i4 ");
}

TEST_CASE("an image that a run holds keeps its name, whatever its age") {
  Ages scene;
  GarbageOptions options;
  options.keep_bytes = 0;
  const Digest held = sha256("manifest i2");
  const auto find = [&](std::span<const Digest> manifests) -> Result<Reachable> {
    Reachable all;
    std::set<Digest> roots(manifests.begin(), manifests.end());
    roots.insert(held);
    for (const Digest& manifest : roots) {
      all.blobs.insert(manifest);
      all.layers.merge(std::set(scene.graph[manifest].layers));
    }
    return all;
  };
  const Swept swept =
      collect_garbage(scene.store(), options, find, scene.reporter, scene.cancel).value();
  CHECK(scene.left() == "i2 ");
  CHECK(swept.forgotten.size() == 4);
  CHECK(*swept.left_bytes > 0);
  CHECK(scene.has_layer("i2"));
}
