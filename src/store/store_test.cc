#include "store/store.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "store/testing/temporary_store.h"

using namespace slipway;
using namespace slipway::store;
using slipway::store::testing::TemporaryStore;

namespace {

/// Breaks off in the middle, as a download does.
class BrokenSource final : public Source {
 public:
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    if (++reads_ > 3) return make_error(ErrorKind::Unavailable, "the line went dead");
    std::fill(buffer.begin(), buffer.end(), std::byte{7});
    return buffer.size();
  }

 private:
  int reads_ = 0;
};

}  // namespace

TEST_CASE("a blob is there once, whole, read-only and under its digest") {
  const TemporaryStore home;
  const Store& store = home.store;
  const Digest digest = store.put_blob_bytes(as_bytes("hello")).value();
  CHECK(digest == sha256("hello"));
  CHECK(store.has_blob(digest));
  CHECK(store.read_blob(digest).value() == "hello");
  CHECK(store.read_blob(digest, 4).error().kind == ErrorKind::Corrupt);
  CHECK(store.read_blob(sha256("other")).error().kind == ErrorKind::NotFound);
  struct stat status;
  REQUIRE(::stat(store.blob_path(digest).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0444);
  BrokenSource unread;
  CHECK(store.put_blob(unread, digest).ok());
  CHECK(home.temporary_names().empty());
}

TEST_CASE("bytes that are wrong or break off leave nothing behind") {
  const TemporaryStore home;
  BytesSource wrong(as_bytes("not hello"));
  const auto corrupt = home.store.put_blob(wrong, sha256("hello"));
  CHECK(corrupt.error().kind == ErrorKind::Corrupt);
  BrokenSource broken;
  CHECK(home.store.put_blob(broken, sha256("hello")).error().kind == ErrorKind::Unavailable);
  CHECK_FALSE(home.store.has_blob(sha256("hello")));
  { BlobWriter dropped = home.store.start_blob().value(); }
  CHECK(home.temporary_names().empty());
}

TEST_CASE("a blob that rots on the disk is noticed") {
  const TemporaryStore home;
  const Digest digest = home.store.put_blob_bytes(as_bytes("hello")).value();
  REQUIRE(::chmod(home.store.blob_path(digest).c_str(), 0644) == 0);
  REQUIRE(write_file(home.store.blob_path(digest), "hellO").ok());
  CHECK(home.store.read_blob(digest).error().kind == ErrorKind::Corrupt);
}

TEST_CASE("a disk that takes no more is an error, and leaves nothing") {
  const TemporaryStore home;
  // RLIMIT_FSIZE stands in for it: write(2) stops short and then fails.
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{4096, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto blob = home.store.put_blob_bytes(as_bytes(std::string(10000, 'x')));
  const auto fact = home.store.put_known("elf", sha256("k"), std::string(10000, 'x'));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(blob.error().kind == ErrorKind::Io);
  CHECK(fact.error().kind == ErrorKind::Io);
  CHECK_FALSE(home.store.find_known("elf", sha256("k")).value().has_value());
  CHECK(home.temporary_names().empty());
}

TEST_CASE("a store of another layout is refused") {
  const TemporaryStore home;
  CHECK(Store::open(home.store.home()).ok());
  REQUIRE(write_file(home.store.home() + "/format", "slipway store 9\n").ok());
  CHECK(Store::open(home.store.home()).error().kind == ErrorKind::Unsupported);
  CHECK(Store::open("").error().kind == ErrorKind::InvalidInput);
  CHECK_FALSE(Store::open("/proc/nowhere").ok());
}

TEST_CASE("an adopted layer counts; one whose state is of another boot does not") {
  const TemporaryStore home;
  const Store& store = home.store;
  const Digest diff_id = sha256("layer");
  CHECK_FALSE(store.has_layer(diff_id));
  home.add_layer("layer", "first");
  CHECK(store.has_layer(diff_id));
  CHECK(home.temporary_names().empty());
  const std::string state = store.home() + "/layer-states/" + diff_id.hex();

  // A power cut: whatever the state file says then, it is not this boot's.
  for (const char* text :
       {"boot 00000000-0000-0000-0000-000000000000\n", "", "boot \n", "settle"}) {
    CAPTURE(text);
    REQUIRE(write_file(state, text).ok());
    CHECK_FALSE(store.has_layer(diff_id));
  }
  REQUIRE(remove_file(state).ok());
  CHECK_FALSE(store.has_layer(diff_id));

  home.add_layer("layer", "second");
  CHECK(store.has_layer(diff_id));
  CHECK(read_file(store.layer_path(diff_id) + "/file").value() == "second");
  CHECK(home.temporary_names().empty());

  CHECK(store.settle_layers().value() == 1);
  CHECK(store.settle_layers().value() == 0);
  CHECK(read_file(state).value() == "settled\n");
  CHECK(store.has_layer(diff_id));
  home.add_layer("layer", "third");
  CHECK(read_file(store.layer_path(diff_id) + "/file").value() == "second");
  struct stat status;
  REQUIRE(::stat(store.layer_path(diff_id).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0755);
}

TEST_CASE("facts and recipes come back as they were, spoilt ones not at all") {
  const TemporaryStore home;
  const Store& store = home.store;
  const Digest key = sha256("key");
  CHECK_FALSE(store.find_known("elf", key).value().has_value());
  for (const std::string& text : {std::string("a\nb\n"), std::string(), std::string(100000, 'x')}) {
    REQUIRE(store.put_known("elf", key, text).ok());
    CHECK(store.find_known("elf", key).value() == text);
  }
  CHECK_FALSE(store.find_known("other", key).value().has_value());
  const std::string path = store.home() + "/known/elf/" + key.hex();
  for (const char* spoilt : {"", "slipway", "slipway 00\nx"}) {
    REQUIRE(write_file(path, spoilt).ok());
    CHECK_FALSE(store.find_known("elf", key).value().has_value());
  }
  REQUIRE(store.put_known("elf", key, "text").ok());
  const std::string sealed = read_file(path).value();
  REQUIRE(write_file(path, sealed.substr(0, sealed.size() - 1)).ok());
  CHECK_FALSE(store.find_known("elf", key).value().has_value());

  REQUIRE(store.put_recipe(key, "splice").ok());
  CHECK(store.find_recipe(key).value() == "splice");
  CHECK_FALSE(store.find_recipe(sha256("none")).value().has_value());
  CHECK(Store::is_word("wheel-layer-1"));
  CHECK_FALSE(Store::is_word("../x"));
}

TEST_CASE("images are set, found, listed and removed, and names never collide") {
  const TemporaryStore home;
  const Store& store = home.store;
  const char* names[] = {"a:b", "a/b:c", "a/b/c:latest", "localhost:5000/a:b", "pytorch-cuda:2.6"};
  for (const char* name : names) {
    REQUIRE(store.set_image(parse_image_name(name).value(), sha256(name)).ok());
  }
  for (const char* name : names) {
    CHECK(store.find_image(parse_image_name(name).value()).value() == sha256(name));
  }
  const auto images = store.list_images().value();
  REQUIRE(images.size() == std::size(names));
  CHECK(images[0].name.text() == "a:b");
  const ImageName first = parse_image_name("a/b:c").value();
  REQUIRE(store.set_image(first, sha256("new")).ok());
  CHECK(store.find_image(first).value() == sha256("new"));

  for (const char* name : names) REQUIRE(store.remove_image(parse_image_name(name).value()).ok());
  CHECK(store.list_images().value().empty());
  CHECK(list_folder(store.home() + "/refs/images").value().empty());
  CHECK_FALSE(store.find_image(first).value().has_value());
  REQUIRE(store.set_image(first, sha256("x")).ok());
  const Error error = store.remove_image(parse_image_name("a/b:d").value()).error();
  CHECK(error.kind == ErrorKind::NotFound);
  CHECK(error.hints.size() == 1);

  ImageName evil;
  evil.name = "../../../etc";
  CHECK(store.set_image(evil, sha256("x")).error().kind == ErrorKind::InvalidInput);
  CHECK(store.find_image(evil).error().kind == ErrorKind::InvalidInput);
}

TEST_CASE(
    "what the store makes belongs to its owner, and the trees of layers to whoever filled them") {
  if (::geteuid() != 0) return;
  const TemporaryStore home(Owner{1234, 2345});
  const Store& store = home.store;
  const Digest blob = store.put_blob_bytes(as_bytes("hello")).value();
  home.add_layer("layer", "x");
  REQUIRE(store.put_known("elf", blob, "x").ok());
  REQUIRE(store.set_image(parse_image_name("team/x").value(), blob).ok());
  const std::string layer = sha256("layer").hex();
  for (const std::string& path :
       {std::string("."), std::string("format"), std::string("blobs/sha256/2c"),
        std::string("layers"), std::string("layer-states/" + layer), std::string("locks/store"),
        "known/elf/" + blob.hex(), std::string("refs/images/team"),
        std::string("refs/images/team/x/:latest")}) {
    CAPTURE(path);
    struct stat status;
    REQUIRE(::stat((store.home() + "/" + path).c_str(), &status) == 0);
    CHECK(status.st_uid == 1234);
    CHECK(status.st_gid == 2345);
  }
  struct stat status;
  REQUIRE(::stat(store.layer_path(sha256("layer")).c_str(), &status) == 0);
  CHECK(status.st_uid == 0);
}

TEST_CASE("threads may race on one blob, one layer, one fact and one image") {
  const TemporaryStore home;
  const Store& store = home.store;
  const std::string body(1 << 20, 'x');
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        const std::string text = body + std::to_string(i);
        const ImageName name = parse_image_name("race/x").value();
        if (!store.put_blob_bytes(as_bytes(text)).ok()) ++failures;
        if (!home.try_add_layer(std::to_string(i), "x").ok()) ++failures;
        if (!store.put_known("elf", sha256("k"), text).ok()) ++failures;
        if (!store.set_image(name, sha256(text)).ok()) ++failures;
        const auto removed = store.remove_image(name);
        if (!removed.ok() && removed.error().kind != ErrorKind::NotFound) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
  for (int i = 0; i < 20; ++i) {
    CHECK(store.read_blob(sha256(body + std::to_string(i))).ok());
    CHECK(store.has_layer(sha256(std::to_string(i))));
  }
  CHECK(home.temporary_names().empty());
}

TEST_CASE("several adopt the same blob at once") {
  const TemporaryStore home;
  std::atomic<int> failures = 0;
  for (int round = 0; round < 100; ++round) {
    const std::string text = std::to_string(round);
    std::vector<std::jthread> threads;
    for (int k = 0; k < 4; ++k) {
      const std::string file = home.folder.path() + "/arrival" + std::to_string(k);
      REQUIRE(write_file(file, text).ok());
      threads.emplace_back([&failures, &home, file, text] {
        if (!home.store.adopt_blob(file, sha256(text)).ok()) ++failures;
      });
    }
    threads.clear();
    CHECK(home.store.read_blob(sha256(text)).value() == text);
  }
  CHECK(failures == 0);
  CHECK(home.temporary_names().empty());
}

TEST_CASE("a checked file becomes a blob") {
  const testing::TemporaryStore home;
  const std::string file = home.folder.path() + "/download";
  for (const char* text : {"bytes", "bytes"}) {
    REQUIRE(write_file(file, text).ok());
    REQUIRE(home.store.adopt_blob(file, sha256("bytes")).ok());
    CHECK(!path_exists(file));
    CHECK(home.store.read_blob(sha256("bytes")).value() == "bytes");
    CHECK(home.temporary_names().empty());
  }
  CHECK(home.store.adopt_blob(file, sha256("other")).error().kind == ErrorKind::NotFound);
}
