#include "lazy/shared_pieces.h"

#include <doctest/doctest.h>

#include "layer/stargz_toc.h"
#include "layer/tar_layer.h"
#include "lazy/stargz_index.h"

using namespace slipway;
using namespace slipway::lazy;

namespace {

struct Made {
  std::string blob, text;
  std::uint64_t toc_offset = 0;
  Table table() const { return {text, toc_offset}; }
};

std::string contents_of(unsigned seed, std::size_t size) {
  std::string text;
  for (unsigned n = seed; text.size() < size; n = n * 1103515245U + 12345U) {
    text += std::to_string(n);
  }
  text.resize(size);
  return text;
}

using Files = std::map<std::string, std::string>;

Made make_layer(const Files& files) {
  std::vector<layer::Entry> entries;
  for (const auto& [path, text] : files) {
    entries.push_back({path, layer::EntryKind::File, 0644, 0, 0, {}, text});
  }
  StringSink sink;
  const auto facts = layer::write_layer(std::move(entries), sink, nullptr);
  REQUIRE(facts.ok());
  REQUIRE(facts->toc);
  Made made{std::move(sink.text), {}, 0};
  made.toc_offset = parse_stargz_footer(made.blob, made.blob.size()).value();
  const auto member = std::string_view(made.blob).substr(
      made.toc_offset, made.blob.size() - made.toc_offset - layer::kStargzFooterBytes);
  made.text = unpack_stargz_index(member, *facts->toc).value();
  return made;
}

Files many_files() {
  Files files;
  for (unsigned i = 0; i < 60; ++i) {
    const std::string package = "lib/" + std::to_string(i / 20);
    files[package + "/file" + std::to_string(i)] = contents_of(i, 100 + i * i * 7);
  }
  files["lib/1/empty"] = "";
  return files;
}

std::uint64_t bytes_of(const std::vector<SharedPiece>& pieces) {
  std::uint64_t bytes = 0;
  for (const SharedPiece& piece : pieces) bytes += piece.size_bytes;
  return bytes;
}

}  // namespace

TEST_CASE("a layer in which some files are others has the rest at other places") {
  const Files files = many_files();
  const Made old = make_layer(files);
  Files changed = files;
  changed["lib/1/file25"] = contents_of(7777, 5000);  // other contents, and another size
  changed.erase("lib/1/file30");
  changed["lib/1/new"] = contents_of(8888, 300);
  changed["lib/2/empty too"] = "";
  const Made wanted = make_layer(changed);
  const auto shared = find_shared_pieces(wanted.table(), old.table());
  REQUIRE(shared.ok());
  std::uint64_t end = 0;
  for (const SharedPiece& piece : *shared) {
    CHECK(piece.offset >= end);
    end = piece.offset + piece.size_bytes;
    REQUIRE(end <= wanted.toc_offset);
    REQUIRE(piece.other_offset + piece.size_bytes <= old.toc_offset);
    CHECK(wanted.blob.substr(piece.offset, piece.size_bytes) ==
          old.blob.substr(piece.other_offset, piece.size_bytes));
  }
  // What changed, and what stands just before each change: its header lies there.
  CHECK(wanted.toc_offset - bytes_of(*shared) < wanted.toc_offset / 3);
  CHECK(shared->size() < 7);
}

TEST_CASE("a layer shares all of itself, and nothing with others") {
  const Made one = make_layer(many_files());
  const auto all = find_shared_pieces(one.table(), one.table());
  REQUIRE(all.ok());
  CHECK(*all == std::vector<SharedPiece>{{0, one.toc_offset, 0}});

  Files others;
  for (const auto& [path, text] : many_files()) others["other/" + path] = text + "x";
  const Made other = make_layer(others);
  const auto none = find_shared_pieces(one.table(), other.table());
  REQUIRE(none.ok());
  CHECK(bytes_of(*none) < 200);  // the archive's own landmark
}

TEST_CASE("the same contents with another header before or behind them are not the same piece") {
  const Made old = make_layer({{"a", "first"}, {"b", "second"}, {"c", "third"}});
  const Made wanted = make_layer({{"a", "first"}, {"bb", "second"}, {"c", "third"}});
  const auto shared = find_shared_pieces(wanted.table(), old.table());
  REQUIRE(shared.ok());
  for (const SharedPiece& piece : *shared) {
    CHECK(wanted.blob.substr(piece.offset, piece.size_bytes) ==
          old.blob.substr(piece.other_offset, piece.size_bytes));
  }
}

TEST_CASE("tables that make no sense") {
  const Made good = make_layer({{"a", "first"}});
  for (const std::string text :
       {"", "{", "[]", R"({"entries":{}})", R"({"entries":[1]})", R"({"entries":[{"offset":"7"}]})",
        R"({"entries":[{"offset":-1}]})", R"({"entries":[{"offset":100}]})",
        R"({"entries":[{"offset":50},{"offset":20}]})"}) {
    CAPTURE(text);
    CHECK(find_shared_pieces({text, 100}, good.table()).error().kind == ErrorKind::Corrupt);
    CHECK(find_shared_pieces(good.table(), {text, 100}).error().kind == ErrorKind::Corrupt);
  }
}
