#include "lazy/contents.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <future>

#include "base/file.h"
#include "layer/compress.h"

using namespace slipway;
using namespace slipway::lazy;

namespace {

std::string gzip(std::string_view text) {
  StringSink out;
  BytesSource plain(as_bytes(text));
  REQUIRE(layer::compress(plain, oci::LayerCompression::Gzip, out, CancelToken()).ok());
  return std::move(out.text);
}

/// A blob with three members, and a tree of files in it.
struct Place {
  std::string a = std::string(3 << 20, 'a') + "end", b = "beta", blob;
  TemporaryFolder folder = TemporaryFolder::create("/tmp", "contents").value();
  Tree tree;
  std::vector<BlobPieces> blobs;
  std::atomic<bool> is_broken = false;
  std::optional<Fetcher> fetcher;
  std::optional<Contents> contents;

  Place() {
    blob = gzip("header") + gzip(a);
    const std::uint64_t a_at = gzip("header").size(), b_at = blob.size();
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
    blobs.push_back(BlobPieces::open(join_path(folder.path(), "blob"), blob.size()).value());
    fetcher.emplace(
        blobs,
        [this](std::size_t, std::uint64_t first, std::uint64_t bytes,
               const CancelToken&) -> Result<std::string> {
          if (is_broken) return make_error(ErrorKind::Unavailable, "no network");
          return blob.substr(first, bytes);
        },
        Fetcher::Options{});
    REQUIRE(make_folders(kept()).ok());
    contents.emplace(Contents::Setup{tree, blobs, *fetcher, {0}, kept(), 2});
  }
  ~Place() {
    contents.reset();
    fetcher.reset();
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
  CHECK(list_folder(place.kept()).value().size() == 3);  // a and its twin are one
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
  for (int i = 0; i < 3000 && list_folder(place.kept()).value().size() < 2; ++i) {
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
