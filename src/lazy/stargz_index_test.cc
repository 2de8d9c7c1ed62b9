#include "lazy/stargz_index.h"

#include <doctest/doctest.h>

#include "layer/stargz_toc.h"

using namespace slipway;
using namespace slipway::lazy;

namespace {

using Kind = layer::TarItem::Kind;

const std::string kOne = sha256("one").text();

Result<std::vector<Entry>> read(const std::string& entries) {
  return parse_stargz_index("{\"version\":1,\"entries\":[" + entries + "]}", 1000);
}

std::string file(const std::string& name, int size, int offset, const std::string& more = {}) {
  return fmt::format(
      R"({{"name":"{}","type":"reg","size":{},"mode":420,"offset":{},"digest":"{}"{}}})", name,
      size, offset, kOne, more);
}

std::string chunk(const std::string& name, int offset) {
  return fmt::format(
      R"({{"name":"{}","type":"chunk","offset":{},"chunkOffset":4,"chunkDigest":"{}"}})", name,
      offset, kOne);
}

const Extent& extent_of(const Entry& entry) { return std::get<Extent>(entry.contents); }

}  // namespace

TEST_CASE("what our own writer tells comes out") {
  layer::StargzToc toc;
  toc.add({"usr", layer::TarType::Folder, 0755, 0, 0, 0, {}});
  toc.add_file({"usr/one", layer::TarType::File, 04755, 1000, 7, 3, {}}, 100, sha256("one"));
  toc.add({"usr/two", layer::TarType::HardLink, 0644, 0, 0, 0, "usr/one"});
  toc.add({"usr/link", layer::TarType::Link, 0777, 0, 0, 0, "../x"});
  toc.add_file({std::string(layer::kNoPrefetchName), layer::TarType::File, 0644, 0, 0, 1, {}}, 150,
               sha256("\x0f"));
  const auto entries = parse_stargz_index(toc.take_text(), 180);
  REQUIRE(entries.ok());
  REQUIRE(entries->size() == 4);  // the landmark is none of the image's files
  const Entry& one = (*entries)[1];
  CHECK(one.item.path == "usr/one");
  CHECK(one.item.kind == Kind::File);
  CHECK(one.item.mode == 04755);
  CHECK(one.item.uid == 1000);
  CHECK(one.item.gid == 7);
  CHECK(one.item.size_bytes == 3);
  CHECK(one.item.time_seconds == 315532800);
  CHECK(extent_of(one).offset == 100);
  CHECK(extent_of(one).end == 150);  // where the landmark begins
  CHECK(extent_of(one).digest == sha256("one"));
  CHECK((*entries)[0].item.path == "usr");
  CHECK((*entries)[2].item.target == "usr/one");
  CHECK((*entries)[3].item.target == "../x");
}

TEST_CASE("a file of many chunks ends behind its last one, and several files may share a member") {
  const auto entries =
      read(file("a", 9, 100) + "," + chunk("a", 150) + "," + chunk("a", 170) + "," +
           file("b", 3, 200) + "," + file("c", 3, 200, R"(,"innerOffset":3)"));
  REQUIRE(entries.ok());
  REQUIRE(entries->size() == 3);
  CHECK(extent_of((*entries)[0]).offset == 100);
  CHECK(extent_of((*entries)[0]).end == 200);
  CHECK(extent_of((*entries)[1]).end == 1000);
  CHECK(extent_of((*entries)[2]).offset == 200);
  CHECK(extent_of((*entries)[2]).skip == 3);
}

TEST_CASE("names as Go's tools write them, attributes and empty files") {
  const auto entries = read(
      R"({"name":"./etc/","type":"dir","mode":493,"modtime":"2024-05-01T00:00:00Z"},)"
      R"({"name":"/etc/empty","type":"reg","mode":420,"xattrs":{"user.a":"eA=="}},)"
      R"({"name":"","type":"dir"},{"name":"etc/pipe","type":"fifo"},{"name":"dev/x","type":"char"})");
  REQUIRE(entries.ok());
  REQUIRE(entries->size() == 4);
  CHECK((*entries)[0].item.path == "etc");
  CHECK((*entries)[0].item.time_seconds == 1714521600);
  CHECK((*entries)[1].item.path == "etc/empty");
  CHECK((*entries)[1].item.attributes.at("user.a") == "x");
  CHECK(std::holds_alternative<std::monostate>((*entries)[1].contents));
  CHECK((*entries)[2].item.kind == Kind::Fifo);
  CHECK((*entries)[3].item.kind == Kind::Device);
}

TEST_CASE("a table that cannot be right is refused") {
  const auto refused = [](const std::string& entries, ErrorKind kind) {
    CAPTURE(entries);
    const auto result = read(entries);
    REQUIRE(!result.ok());
    CHECK(result.error().kind == kind);
    CHECK(result.error().message.starts_with("table of contents "));
  };
  refused(file("../etc/passwd", 1, 10), ErrorKind::Corrupt);
  refused(file("a/../b", 1, 10), ErrorKind::Corrupt);
  refused(file(R"(a\u0000b)", 1, 10), ErrorKind::Corrupt);
  refused(file(std::string(256, 'n'), 1, 10), ErrorKind::Corrupt);
  refused(file("a", -1, 10), ErrorKind::Corrupt);
  refused(file("a", 1, 1001), ErrorKind::Corrupt);
  refused(file("a", 1, 1000), ErrorKind::Corrupt);
  refused(chunk("a", 10), ErrorKind::Corrupt);
  refused(file("a", 9, 100) + "," + chunk("b", 150), ErrorKind::Corrupt);
  refused(file("a", 9, 100) + "," + chunk("a", 50), ErrorKind::Corrupt);
  refused(R"({"name":"a","type":"door"})", ErrorKind::Corrupt);
  refused(R"({"name":7,"type":"reg"},)", ErrorKind::Corrupt);
  refused(R"("a")", ErrorKind::Corrupt);
  refused(R"({"name":"a","type":"reg","size":3,"digest":")" + kOne + "\"}", ErrorKind::Corrupt);
  refused(R"({"name":"a","type":"dir","modtime":"yesterday"})", ErrorKind::Corrupt);
  refused(R"({"name":"a","type":"hardlink","linkName":"../x"})", ErrorKind::Corrupt);
  refused(R"({"name":"a","type":"reg","xattrs":{"user.a":"?"}})", ErrorKind::Corrupt);
  // Right, but without what a file could be held against.
  refused(R"({"name":"a","type":"reg","size":3,"offset":5})", ErrorKind::Unsupported);
  CHECK(!parse_stargz_index("[]", 10).ok());
  CHECK(!parse_stargz_index("{", 10).ok());
  CHECK(!parse_stargz_index("{\"entries\":7}", 10).ok());
}

TEST_CASE("the footer tells where the table begins, and nothing else is taken for one") {
  const std::string footer = layer::make_stargz_footer(4711);
  CHECK(*parse_stargz_footer("what stands before" + footer, 9000) == 4711);
  CHECK(parse_stargz_footer(footer, 4711 + footer.size()).error().kind == ErrorKind::Corrupt);
  CHECK(parse_stargz_footer(footer.substr(1), 9000).error().kind == ErrorKind::Corrupt);
  for (std::size_t i = 0; i < footer.size(); ++i) {
    std::string broken = footer;
    broken[i] = static_cast<char>(broken[i] ^ 0x20);
    const auto offset = parse_stargz_footer(broken, 1ULL << 62U);
    // A changed digit may be another number; then its table is not there, which its digest tells.
    CHECK((!offset.ok() || (i >= 16 && i < 32 && *offset != 4711)));
  }
}
