#include "lazy/chunked_index.h"

#include <doctest/doctest.h>

#include "layer/chunked_toc.h"
#include "lazy/stargz_index.h"

using namespace slipway;
using namespace slipway::lazy;

namespace {

struct Sample {
  std::string blob;
  oci::Descriptor layer;

  std::string packed(const ChunkedTable& table) const {
    return blob.substr(table.offset, table.packed_bytes);
  }
};

/// Two files behind 100 bytes of frames, the second one in two chunks.
Sample make_sample() {
  Sample sample;
  StringSink bytes;
  HashingSink out(&bytes);
  REQUIRE(out.write(as_bytes(std::string(100, 'f'))).ok());
  layer::ChunkedToc toc;
  const auto add = [&](const char* name, std::uint64_t size,
                       const std::vector<layer::Chunk>& chunks) {
    layer::ChunkedEntry entry;
    entry.type = "reg";
    entry.name = name;
    entry.mode = 04755;
    entry.size_bytes = size;
    entry.modified = "2020-01-01T00:00:00.123456789Z";
    REQUIRE(toc.add_segment(as_bytes("header")).ok());
    REQUIRE(toc.add_entry(entry, chunks, sha256(name), 7).ok());
  };
  add("one", 3, {{10, 20, 3, sha256("one")}});
  add("two", 9, {{30, 40, 5, sha256("a")}, {40, 55, 4, sha256("b")}});
  sample.layer.annotations = toc.write(out).value();
  sample.blob = bytes.text;
  sample.layer.size_bytes = sample.blob.size();
  return sample;
}

}  // namespace

TEST_CASE("what our own writer of zstd:chunked tells comes out") {
  const Sample sample = make_sample();
  const auto table = find_chunked_table(sample.layer);
  REQUIRE(table.ok());
  const auto text = unpack_chunked_index(sample.packed(*table), *table);
  REQUIRE(text.ok());
  const auto entries = parse_stargz_index(*text, table->offset);
  REQUIRE(entries.ok());
  REQUIRE(entries->size() == 2);
  const Entry& one = (*entries)[0];
  CHECK(one.item.path == "one");
  CHECK(one.item.mode == 04755);
  CHECK(one.item.time_seconds == 1577836800);
  CHECK(one.item.time_nanoseconds == 123456789);
  const Extent& extent = std::get<Extent>(one.contents);
  CHECK(extent.offset == 10);
  CHECK(extent.end == 30);  // up to what is known next
  CHECK(extent.skip == 0);
  CHECK(extent.digest == sha256("one"));
  const Extent& two = std::get<Extent>((*entries)[1].contents);
  CHECK(two.offset == 30);
  CHECK(two.end >= 55);
  CHECK(two.end <= table->offset);
}

TEST_CASE("a table that is not the manifest's is none") {
  const Sample sample = make_sample();
  const ChunkedTable table = find_chunked_table(sample.layer).value();
  const std::string good = sample.packed(table);
  std::string changed = good;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  CHECK(unpack_chunked_index(changed, table).error().message.ends_with("the manifest names"));
  for (const int more : {-1, 1}) {
    ChunkedTable other = table;
    other.plain_bytes += static_cast<std::uint64_t>(more);
    CAPTURE(more);
    CHECK(unpack_chunked_index(good, other).error().message.ends_with("the manifest says"));
  }
  // The right digest, of what is no zstd.
  ChunkedTable other = table;
  const std::string cut = good.substr(0, good.size() - 3);
  other.digest = sha256(cut);
  CHECK(unpack_chunked_index(cut, other).error().kind == ErrorKind::Corrupt);
}

TEST_CASE("where the table lies is checked") {
  struct Case {
    const char* name;
    const char* position;
    ErrorKind kind;
  };
  const Sample sample = make_sample();
  for (const Case& c : {
           Case{"empty", "", ErrorKind::Corrupt},
           Case{"a number too few", "100:10:20", ErrorKind::Corrupt},
           Case{"a number too many", "100:10:20:1:1", ErrorKind::Corrupt},
           Case{"no number", "100:x:20:1", ErrorKind::Corrupt},
           Case{"negative", "100:-1:20:1", ErrorKind::Corrupt},
           Case{"a colon behind", "100:10:20:1:", ErrorKind::Corrupt},
           Case{"outside", "100:100000:20:1", ErrorKind::Corrupt},
           Case{"far outside", "18446744073709551615:10:20:1", ErrorKind::Corrupt},
           Case{"another kind", "100:10:20:2", ErrorKind::Unsupported},
           Case{"huge", "100:10:2000000000:1", ErrorKind::Unsupported},
       }) {
    CAPTURE(c.name);
    oci::Descriptor layer = sample.layer;
    layer.annotations[std::string(layer::kChunkedTocPosition)] = c.position;
    const auto found = find_chunked_table(layer);
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().kind == c.kind);
  }
  CHECK(find_chunked_table({}).error().kind == ErrorKind::Unsupported);
}
