#include "layer/compress_chunked.h"

#include <doctest/doctest.h>

#include "base/base64.h"
#include "layer/chunked_toc.h"
#include "layer/compress.h"
#include "layer/inflate.h"
#include "layer/testing/tar_maker.h"

using namespace slipway;
using namespace slipway::layer;
using namespace slipway::layer::testing;

namespace {

/// Neither compresses well nor repeats.
std::string noise(std::size_t count) {
  std::string text(count, '\0');
  std::uint64_t state = 1;
  for (char& c : text) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    c = static_cast<char>(state >> 56U);
  }
  return text;
}

/// Without its quotes; empty where it is not there.
std::string member(std::string_view object, std::string_view name) {
  const std::size_t begin = object.find(fmt::format("\"{}\":", name));
  if (begin == std::string_view::npos) return {};
  std::string_view rest = object.substr(begin + name.size() + 3);
  rest = rest.substr(0, rest.find_first_of(",}"));
  if (rest.starts_with('"')) rest = rest.substr(1, rest.size() - 2);
  return std::string(rest);
}

std::uint64_t number(std::string_view object, std::string_view name) {
  const std::string text = member(object, name);
  return text.empty() ? 0 : std::stoull(text);
}

std::vector<std::string> split(std::string_view text, std::string_view between) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(between), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + between.size(), text.size()));
  }
  return parts;
}

/// What a lazy puller does: the annotations, the table, then each file by its ranges.
struct Chunked {
  std::string blob;
  ChunkedLayer layer;

  explicit Chunked(const std::string& tar) {
    BytesSource source(as_bytes(tar));
    StringSink out;
    HashingSink counted(&out);
    layer = compress_chunked(source, counted, CancelToken()).value();
    blob = out.text;
  }

  /// `offset:length:plain length`, and what they tell of unpacked.
  std::string document(std::string_view annotation) const {
    const auto parts = split(layer.annotations.at(std::string(annotation)), ":");
    const std::string text =
        unpack(std::string_view(blob).substr(std::stoull(parts[0]), std::stoull(parts[1])));
    CHECK(text.size() == std::stoull(parts[2]));
    return text;
  }
  std::string table() const { return document(kChunkedTocPosition); }

  std::vector<std::string> entries() const {
    const std::string text = table();
    const std::size_t begin = text.find('[') + 2;
    return split(std::string_view(text).substr(begin, text.rfind(']') - begin - 1), "},{");
  }

  /// Every range is unpacked by itself, and held against its digest.
  std::string contents(std::string_view name) const {
    std::string text, digest;
    std::uint64_t size = 0, end = 0;
    for (const std::string& entry : entries()) {
      if (member(entry, "name") != name) continue;
      const bool is_first = member(entry, "type") != "chunk";
      if (is_first) size = number(entry, "size");
      if (is_first) digest = member(entry, "digest");
      if (is_first) end = number(entry, "endOffset");
      if (size == 0) return {};
      CHECK(number(entry, "chunkOffset") == text.size());
      const std::uint64_t begin = number(entry, "offset");
      const std::uint64_t own_end =
          is_first ? begin_behind(begin, end) : number(entry, "endOffset");
      const std::string chunk = unpack(std::string_view(blob).substr(begin, own_end - begin));
      CHECK(chunk.size() == number(entry, "chunkSize"));
      CHECK(sha256(chunk).text() == member(entry, "chunkDigest"));
      text += chunk;
      if (own_end == end) break;
    }
    CHECK(text.size() == size);
    CHECK(sha256(text).text() == digest);
    return text;
  }

 private:
  /// The first entry tells the end of the last chunk: its own is where the next one begins.
  std::uint64_t begin_behind(std::uint64_t begin, std::uint64_t end) const {
    for (const std::string& entry : entries()) {
      const std::uint64_t other = number(entry, "offset");
      if (member(entry, "type") == "chunk" && other > begin && other < end) end = other;
    }
    return end;
  }
};

/// tar-split's lines, with the contents put in their places.
std::string assemble(const Chunked& chunked) {
  std::string tar;
  std::size_t position = 0;
  for (const std::string& line : split(chunked.document(kChunkedTarSplitPosition), "\n")) {
    CHECK(number(line, "position") == position++);
    const std::string payload = decode_base64(member(line, "payload")).value();
    if (number(line, "type") == 2) {
      tar += payload;
      continue;
    }
    const std::string contents = chunked.contents(member(line, "name"));
    CHECK(contents.size() == number(line, "size"));
    tar += contents;
    if (contents.empty()) continue;
    std::uint64_t crc = 0;
    for (const char c : payload) crc = crc << 8U | static_cast<unsigned char>(c);
    CHECK(crc == crc64(0, as_bytes(contents)));
  }
  return tar;
}

}  // namespace

TEST_CASE("CRC-64 is Go's") {
  CHECK(crc64(0, as_bytes("123456789")) == 0xb90956c775a41001U);
  CHECK(crc64(crc64(0, as_bytes("1234")), as_bytes("56789")) == 0xb90956c775a41001U);
}

TEST_CASE("chunked: each file is read by its ranges alone, and the tar is made anew") {
  const std::string large = noise(2 * kChunkBytes + 77), exact = noise(kChunkBytes);
  const std::string tar = raw_entry({"./", '5'}) + raw_entry({"./a", '0', "xyz"}) +
                          raw_entry({"./empty"}) + raw_entry({"./large", '0', large}) +
                          raw_entry({"./hard", '1', "", "./a"}) +
                          raw_entry({"./exact", '0', exact}) + raw_entry({"./link", '2', "", "a"}) +
                          raw_pax({{"path", std::string(200, 'p')},
                                   {"mtime", "12.5"},
                                   {"atime", "13"},
                                   {"SCHILY.xattr.user.x", "y"}}) +
                          raw_entry({"p", '0', "pax"}) + raw_entry({"dir/.wh.gone"}) + tar_end() +
                          std::string(9216, '\0');
  const Chunked chunked(tar);
  CHECK(chunked.layer.why_not == "");
  CHECK(unpack(chunked.blob) == tar);
  CHECK(chunked.contents("./a") == "xyz");
  CHECK(chunked.contents("./large") == large);
  CHECK(chunked.contents("./exact") == exact);
  CHECK(chunked.contents(std::string(200, 'p')) == "pax");
  CHECK(assemble(chunked) == tar);

  const std::vector<std::string> entries = chunked.entries();
  CHECK(entries.size() == 11);  // nine, and two more chunks of the large one
  CHECK(entries[0] == R"("type":"dir","name":"./","mode":420,"modtime":"2001-09-09T01:46:40Z")");
  CHECK(member(entries[6], "linkName") == "./a");
  CHECK(member(entries[9], "modtime") == "1970-01-01T00:00:12.500000000Z");
  CHECK(member(entries[9], "accesstime") == "1970-01-01T00:00:13Z");
  CHECK(entries[9].find(R"("xattrs":{"user.x":"eQ=="})") != std::string::npos);
  CHECK(entries[10].find("digest") == std::string::npos);
}

TEST_CASE("chunked: the annotations, the digests and the footer say the same") {
  const Chunked chunked(raw_entry({"a", '0', "xyz"}) + tar_end());
  const auto at = [&](std::string_view name) {
    return chunked.layer.annotations.at(std::string(name));
  };
  const auto table = split(at(kChunkedTocPosition), ":"),
             split_at = split(at(kChunkedTarSplitPosition), ":");
  const auto packed = [&](const auto& place) {
    return chunked.blob.substr(std::stoull(place[0]), std::stoull(place[1]));
  };
  CHECK(table[3] == "1");
  CHECK(sha256(packed(table)).text() == at(kChunkedTocDigest));
  CHECK(member(chunked.table(), "tarSplitDigest") == sha256(packed(split_at)).text());
  const std::string footer = chunked.blob.substr(chunked.blob.size() - kChunkedFooterBytes);
  CHECK(footer.substr(56) == "GNUlInUx");
  const std::string numbers[] = {table[0],    table[1],    table[2],   "1",
                                 split_at[0], split_at[1], split_at[2]};
  for (std::size_t i = 0; i < std::size(numbers); ++i) {
    std::uint64_t value = 0;
    for (std::size_t k = 8; k-- > 0;)
      value = value << 8U | static_cast<unsigned char>(footer[8 * i + k]);
    CHECK(std::to_string(value) == numbers[i]);
  }
  CHECK(chunked.blob.substr(chunked.blob.size() - 72, 8) ==
        std::string_view("\x50\x2a\x4d\x18\x40\0\0\0", 8));
}

TEST_CASE("chunked: what a table cannot tell is plain zstd") {
  const std::string a = raw_entry({"a", '0', "xyz"});
  struct Case {
    std::string name, tar, why;
  };
  const Case cases[] = {
      {"a path twice", a + raw_entry({"./a", '0', "q"}) + tar_end(), "has the path `a` twice"},
      {"no UTF-8", raw_entry({"\xff", '0', "xyz"}), "has a path that JSON cannot tell, `\xff`"},
      {"a rare kind", a + raw_entry({"v", 'V', "label"}), "has an entry of a rare kind, `v`"},
      {"a contiguous file", raw_entry({"v", '7', "x"}), "has an entry of a rare kind, `v`"},
      {"a file that ends in a slash", raw_entry({"d/", '0'}), "has an entry of a rare kind, `d`"},
      {"a global header", raw_entry({"g", 'g', "13 path=evil\n"}) + a,
       "has an entry of a rare kind, `a`"},
      {"a link with a size", raw_entry({"h", '1', "", "a", 0644, 0, 0, 0, "00000000777"}),
       "has a size without contents, `h`"},
      {"bytes behind", a + tar_end() + std::string(512, 'x'), "has bytes behind its end"},
      {"a part of a block behind", a + tar_end() + std::string(100, '\0'),
       "has bytes behind its end"},
      {"two long names", raw_entry({"././@LongLink", 'L', "b"}) + raw_pax({{"path", "c"}}) + a,
       "has two long names, `c`"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    const Chunked chunked(one.tar);
    CHECK(chunked.layer.why_not == one.why);
    CHECK(chunked.layer.annotations.empty());
    CHECK(unpack(chunked.blob) == one.tar);
  }
}

TEST_CASE("chunked: no tar at all, and nothing at all") {
  for (const std::string& bytes :
       {std::string(512, 'x'), raw_entry({"a", '0', "xyz"}).substr(0, 514),
        raw_entry({"s", 'S', "xyz"}), raw_entry({"../a"})}) {
    BytesSource source(as_bytes(bytes));
    StringSink out;
    HashingSink counted(&out);
    CHECK(!compress_chunked(source, counted, CancelToken()).ok());
  }
  for (const std::string& tar : {std::string(), tar_end()}) {
    const Chunked chunked(tar);
    CHECK(unpack(chunked.blob) == tar);
    CHECK(chunked.table().starts_with(R"({"version":1,"entries":[],"tarSplitDigest":"sha256:)"));
  }
}

TEST_CASE("chunked: the same bytes whatever the source's pieces") {
  /// Gives one byte at a time.
  class Drops final : public Source {
   public:
    explicit Drops(Bytes bytes) : all_(bytes) {}
    Result<std::size_t> read(std::span<std::byte> buffer) override {
      return all_.read(buffer.first(std::min<std::size_t>(buffer.size(), 1)));
    }

   private:
    BytesSource all_;
  };
  const std::string tar = raw_entry({"a", '0', noise(70'000)}) + raw_entry({"b"}) + tar_end();
  Drops drops(as_bytes(tar));
  StringSink out;
  HashingSink counted(&out);
  CHECK(compress_chunked(drops, counted, CancelToken()).ok());
  CHECK(out.text == Chunked(tar).blob);
}
