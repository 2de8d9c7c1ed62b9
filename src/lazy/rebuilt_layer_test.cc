#include "lazy/rebuilt_layer.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "layer/testing/tar_maker.h"

using namespace slipway;
using namespace slipway::lazy;
using namespace slipway::layer::testing;

namespace {

/// A layer of three files, the middle one with a member of its own; and its blob.
struct Layer {
  std::string head = raw_entry({.path = "a", .contents = "alpha"}), large, tail, end, tar, blob;
  std::uint64_t large_at = 0, large_end = 0;
  TemporaryFolder folder = TemporaryFolder::create("/tmp", "rebuilt").value();

  explicit Layer(std::string (*pack)(std::string_view)) {
    for (int i = 0; large.size() < 3'000'000; ++i) large += std::to_string(i);
    const std::string entry = raw_entry({.path = "large", .contents = large});
    head += entry.substr(0, 512);
    tail = entry.substr(512 + large.size()) + raw_entry({.path = "b", .contents = "beta"});
    end = tar_end();
    tar = head + large + tail + end;
    blob = pack(head);
    large_at = blob.size();
    blob += pack(large) + pack(tail);
    large_end = blob.size();
    blob += pack(end);
  }
  BlobPieces pieces() const {
    BlobPieces made = BlobPieces::open(join_path(folder.path(), "blob"), blob.size()).value();
    REQUIRE(made.write(0, as_bytes(blob)).ok());
    return made;
  }
  UnpackedPart part() const {
    const std::string path = join_path(folder.path(), "large");
    REQUIRE(write_file(path, large).ok());
    REQUIRE(write_file(path + ".tail", tail).ok());
    return {large_at, large_end, path, path + ".tail"};
  }
};

Result<std::string> read_all(const BlobPieces& blob, std::vector<UnpackedPart> parts,
                             std::uint64_t most) {
  RebuiltLayer rebuilt(blob, std::move(parts), most);
  StringSink text;
  TRY(copy(rebuilt, text));
  return std::move(text.text);
}

}  // namespace

TEST_CASE("a layer is the same with and without the members that were unpacked before") {
  for (auto* pack : {gzip, zstd}) {
    const Layer layer(pack);
    BlobPieces blob = layer.pieces();
    CHECK(read_all(blob, {}, layer.tar.size()).value() == layer.tar);
    const UnpackedPart part = layer.part();
    CHECK(read_all(blob, {part}, layer.tar.size()).value() == layer.tar);
    // What is in that part of the blob does not matter any more.
    std::string other = layer.blob;
    for (std::uint64_t i = part.offset; i < part.end; ++i) other[i] = '\0';
    REQUIRE(blob.write(0, as_bytes(other)).ok());
    CHECK(read_all(blob, {part}, layer.tar.size()).value() == layer.tar);
    CHECK_FALSE(read_all(blob, {}, layer.tar.size()).ok());
  }
}

TEST_CASE("a layer of more bytes than its table has is refused before they are there") {
  const Layer layer(gzip);
  const BlobPieces blob = layer.pieces();
  const auto refused = read_all(blob, {layer.part()}, layer.tar.size() - 1);
  REQUIRE(!refused.ok());
  CHECK(refused.error().kind == ErrorKind::Corrupt);
}

TEST_CASE("parts that contradict each other, or are gone, end it") {
  const Layer layer(gzip);
  const BlobPieces blob = layer.pieces();
  UnpackedPart part = layer.part(), inside = part;
  inside.offset += 1;
  CHECK(read_all(blob, {part, inside}, layer.tar.size()).value() == layer.tar);
  REQUIRE(remove_file(part.path).ok());
  CHECK(read_all(blob, {part}, layer.tar.size()).error().kind == ErrorKind::NotFound);
}
