#include "lazy/contents.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <random>
#include <thread>

#include "base/file.h"
#include "layer/testing/tar_maker.h"

using namespace slipway;
using namespace slipway::lazy;
using slipway::layer::testing::gzip;

namespace {

std::string random_bytes(std::size_t count) {
  std::mt19937 random(1);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

/// A blob with three members, and a tree of files in it.
struct Place {
  std::string a = random_bytes(5 << 20), b = "beta", blob;
  TemporaryFolder folder = TemporaryFolder::create("/tmp", "contents").value();
  Tree tree;
  std::vector<BlobPieces> blobs;
  std::atomic<bool> is_broken = false;
  std::atomic<std::uint64_t> fetched = 0;
  std::optional<Fetcher> fetcher;
  std::optional<Contents> contents;
  std::uint64_t a_at = gzip("header").size(), b_at = 0;

  Place() {
    blob = gzip("header") + gzip(a) + gzip("next header");
    b_at = blob.size();
    blob += gzip(b + "gamma");
    const auto file = [](const std::string& path, const std::string& text, Extent extent) {
      Entry entry;
      entry.item.kind = layer::TarItem::Kind::File;
      entry.item.path = path;
      entry.item.size_bytes = text.size();
      extent.digest = sha256(text);
      entry.contents = extent;
      return entry;
    };
    Entry empty;
    empty.item.kind = layer::TarItem::Kind::File;
    empty.item.path = "empty";
    Entry lying = file("lying", "gammA", {b_at, blob.size(), b.size(), {}});
    REQUIRE(
        tree.add_layer(0, {file("a", a, {a_at, b_at, 0, {}}), file("twin", a, {a_at, b_at, 0, {}}),
                           file("b", b, {b_at, blob.size(), 0, {}}),
                           file("deep/d", b, {b_at, blob.size(), 0, {}}),
                           file("c", "gamma", {b_at, blob.size(), b.size(), {}}), lying, empty})
            .ok());
    open_blob();
    start();
  }
  void start() {
    fetcher.emplace(
        blobs,
        [this](std::size_t, std::uint64_t first, std::uint64_t bytes,
               const CancelToken&) -> Result<std::string> {
          if (is_broken) return make_error(ErrorKind::Unavailable, "no network");
          fetched += bytes;
          return blob.substr(first, bytes);
        },
        Fetcher::Options{.may_hold = {true}});
    REQUIRE(make_folders(kept()).ok());
    contents.emplace(Contents::Setup{tree, blobs, *fetcher, {{0, true}}, kept(), 2});
  }
  ~Place() { stop(); }
  void stop() {
    contents.reset();
    fetcher.reset();
  }
  void restart() {
    stop();
    blobs.clear();
    open_blob();
    start();
  }
  void open_blob() {
    blobs.push_back(BlobPieces::open(join_path(folder.path(), "blob"), blob.size()).value());
  }
  /// Of what is between the first piece and the last.
  void wait_for_release() const {
    while (blobs[0].has(2)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::vector<UnpackedPart> settled() {
    for (;;) {
      if (auto parts = contents->settle(0); parts.ok()) return *parts;
    }
  }
  std::string kept() const { return join_path(folder.path(), "kept"); }

  Result<std::string> read(const std::string& path) {
    std::promise<Result<UniqueFd>> answer;
    contents->open(*tree.resolve(path),
                   [&](Result<UniqueFd> file) { answer.set_value(std::move(file)); });
    const UniqueFd file = TRY(answer.get_future().get());
    FdSource source(file.get());
    StringSink text;
    TRY(copy(source, text));
    return std::move(text.text);
  }
};

}  // namespace

TEST_CASE("files come out of their members, also those that share one") {
  Place place;
  CHECK(place.read("a").value() == place.a);
  CHECK(place.read("b").value() == place.b);
  CHECK(place.read("c").value() == "gamma");
  CHECK(place.read("empty").value().empty());
  CHECK(place.read("twin").value() == place.a);
  // a and its twin are one; and what stands behind a.
  CHECK(list_folder(place.kept()).value().size() == 4);
}

TEST_CASE("other bytes than the table names are never shown") {
  Place place;
  const auto refused = place.read("lying");
  REQUIRE(!refused.ok());
  CHECK(refused.error().kind == ErrorKind::Corrupt);
  CHECK(refused.error().message.find("`lying`") != std::string::npos);
  CHECK(list_folder(place.kept()).value().empty());
}

TEST_CASE("damaged bytes are fetched anew by the next open") {
  Place place;
  const std::string sound = place.blob;
  const std::size_t middle = gzip("header").size() + gzip(place.a).size() / 2;
  place.blob[middle] = static_cast<char>(place.blob[middle] ^ 0x55);
  CHECK(place.read("a").error().kind == ErrorKind::Corrupt);
  CHECK(list_folder(place.kept()).value().empty());
  place.blob = sound;
  CHECK(place.read("a").value() == place.a);
}

TEST_CASE("a large file's part of the blob is released, and the layer rebuilt without it") {
  Place place;
  CHECK(place.read("a").value() == place.a);
  CHECK(place.read("b").value() == place.b);
  place.wait_for_release();
  const auto parts = place.settled();
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].offset == place.a_at);
  CHECK(parts[0].end == place.b_at);
  CHECK(read_file(parts[0].tail_path).value() == "next header");
  CHECK(place.blobs[0].is_complete());
  CHECK_FALSE(place.blobs[0].has(2));
  RebuiltLayer rebuilt(place.blobs[0], parts, 1 << 30);
  StringSink text;
  REQUIRE(copy(rebuilt, text).ok());
  CHECK((text.text == "header" + place.a + "next header" + place.b + "gamma"));
  CHECK(place.read("twin").value() == place.a);
  // Something was wrong with it.
  REQUIRE(place.contents->fetch_anew(0).ok());
  CHECK(place.settled().empty());
  CHECK(place.read("a").value() == place.a);
  REQUIRE(place.fetcher->need(0, 0, place.blob.size()).ok());
  REQUIRE(place.fetcher->write_held(0, 0, place.blob.size()).ok());
  CHECK((read_file(place.blobs[0].path()).value() == place.blob));
}

TEST_CASE(
    "who waits for the same part of the blob has it when it was unpacked, and fetches nothing") {
  Place place;
  std::promise<Result<UniqueFd>> first, second;
  place.contents->open(*place.tree.resolve("a"),
                       [&](Result<UniqueFd> file) { first.set_value(std::move(file)); });
  place.contents->open(*place.tree.resolve("twin"),
                       [&](Result<UniqueFd> file) { second.set_value(std::move(file)); });
  CHECK(first.get_future().get().ok());
  CHECK(second.get_future().get().ok());
  REQUIRE(place.settled().size() == 1);
  CHECK_FALSE(place.blobs[0].has(2));
  CHECK(place.fetched <= place.blob.size());
}

TEST_CASE("nothing is released where the blob stays, or once the layer is being made") {
  Place place;
  CHECK(place.settled().empty());
  CHECK(place.read("a").value() == place.a);
  CHECK(place.settled().empty());
  CHECK(place.blobs[0].has(2));
}

TEST_CASE("another process takes up what was kept, and holds it against its digest") {
  Place place;
  CHECK(place.read("a").value() == place.a);
  place.wait_for_release();
  place.restart();
  CHECK_FALSE(place.blobs[0].has(2));
  place.fetched = 0;
  CHECK(place.read("a").value() == place.a);
  CHECK(place.fetched == 0);
  place.wait_for_release();
  REQUIRE(place.settled().size() == 1);
  CHECK(read_file(place.settled()[0].tail_path).value() == "next header");
  // It was damaged meanwhile, and something was left half done.
  place.restart();
  const std::string kept = join_path(place.kept(), sha256(place.a).hex());
  REQUIRE(write_file(kept, std::string(place.a.size(), '\0')).ok());
  REQUIRE(write_file(kept + ".1.part", "half").ok());
  REQUIRE(Contents::remove_partial(place.kept()).ok());
  CHECK(list_folder(place.kept()).value().size() == 2);
  CHECK(place.read("a").value() == place.a);
  CHECK(place.fetched > 0);
}

TEST_CASE("a failure is the open's own, and the next open tries again") {
  Place place;
  place.is_broken = true;
  CHECK(place.read("a").error().message == "no network");
  place.is_broken = false;
  CHECK(place.read("a").value() == place.a);
}

TEST_CASE("what is expected is made ready; once the layer is a tree, it is read there") {
  Place place;
  place.contents->expect({*place.tree.resolve("b"), *place.tree.resolve("a")});
  for (int i = 0; i < 3000 && list_folder(place.kept()).value().size() < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  place.is_broken = true;  // nothing is fetched any more
  CHECK(place.read("a").value() == place.a);
  CHECK(place.read("b").value() == place.b);
  CHECK_FALSE(place.contents->is_idle({}));  // a start goes on
  const auto kept = place.contents->find_kept("twin");
  REQUIRE(kept.has_value());
  CHECK((read_file(*kept).value() == place.a));
  CHECK_FALSE(place.contents->find_kept("c").has_value());
  CHECK_FALSE(place.contents->find_kept("nothing").has_value());
  const std::string tree = join_path(place.folder.path(), "tree");
  REQUIRE(make_folders(tree).ok());
  REQUIRE(write_file(join_path(tree, "b"), "of the tree").ok());
  REQUIRE(place.contents->take_from_tree(0, tree).ok());
  CHECK_FALSE(place.contents->find_kept("twin").has_value());
  CHECK(list_folder(place.kept()).value().empty());
  CHECK(place.read("b").value() == "of the tree");
}

TEST_CASE("a tree that has something else than the table says leads nowhere") {
  Place place;
  const std::string tree = join_path(place.folder.path(), "tree"),
                    secret = join_path(place.folder.path(), "secret");
  REQUIRE(make_folders(tree).ok());
  REQUIRE(make_folders(secret).ok());
  REQUIRE(write_file(join_path(secret, "d"), "of the host").ok());
  REQUIRE(::symlink("../secret/d", join_path(tree, "a").c_str()) == 0);
  REQUIRE(::symlink("../secret", join_path(tree, "deep").c_str()) == 0);
  REQUIRE(::mkfifo(join_path(tree, "b").c_str(), 0600) == 0);
  REQUIRE(place.contents->take_from_tree(0, tree).ok());
  for (const char* path : {"a", "b", "c", "deep/d"}) {
    CAPTURE(path);
    const auto refused = place.read(path);
    REQUIRE(!refused.ok());
    CHECK(refused.error().kind == ErrorKind::Corrupt);
  }
}
