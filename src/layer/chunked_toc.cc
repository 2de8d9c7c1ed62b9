#include "layer/chunked_toc.h"

#include <algorithm>

#include "base/base64.h"
#include "base/check.h"

namespace slipway::layer {
namespace {

constexpr std::string_view kFooterMagic = "GNUlInUx";
constexpr std::size_t kSkippableHeaderBytes = 8;
/// The type of table that there is: containers/storage calls it CRFS, after eStargz's forerunner.
constexpr std::uint64_t kTableType = 1;

std::string little_endian(std::uint64_t value, std::size_t width) {
  std::string text;
  for (std::size_t i = 0; i < width; ++i) text += static_cast<char>(value >> (8 * i) & 0xffU);
  return text;
}

/// Where what is in the skippable frame begins.
Result<std::uint64_t> write_skippable(std::string_view text, HashingSink& out) {
  // A layer whose table has 4 GiB would have ten million files.
  if (text.size() > UINT32_MAX) return make_error(ErrorKind::Unsupported, "has too many files");
  TRY(out.write(as_bytes("\x50\x2a\x4d\x18" + little_endian(text.size(), 4))));
  const std::uint64_t begin = out.size_bytes();
  TRY(out.write(as_bytes(text)));
  return begin;
}

void member(oci::JsonWriter& json, std::string_view name, std::uint64_t value) {
  if (value == 0) return;
  json.key(name);
  json.number(value);
}

void put_chunk(oci::JsonWriter& json, const Chunk& chunk, std::uint64_t offset, std::uint64_t end) {
  member(json, "offset", chunk.begin);
  member(json, "endOffset", end);
  member(json, "chunkSize", chunk.size_bytes);
  member(json, "chunkOffset", offset);
  json.member("chunkDigest", chunk.digest.text());
}

void put_attributes(oci::JsonWriter& json, const ChunkedEntry& entry) {
  json.member("type", entry.type);
  json.member("name", entry.name);
  json.member("linkName", entry.target);
  member(json, "mode", entry.mode);
  member(json, "size", entry.size_bytes);
  member(json, "uid", entry.uid);
  member(json, "gid", entry.gid);
  json.member("modtime", entry.modified);
  json.member("accesstime", entry.accessed);
  json.member("changetime", entry.changed);
  member(json, "devMajor", entry.device_major);
  member(json, "devMinor", entry.device_minor);
  json.member("xattrs", entry.attributes);
}

}  // namespace

Result<void> ChunkedToc::Document::add(std::string_view text) {
  plain_bytes += text.size();
  return sink.write(as_bytes(text));
}

ChunkedToc::ChunkedToc() = default;

Result<void> ChunkedToc::add_segment(Bytes bytes) {
  // One object a line; type 2 is a segment.
  oci::JsonWriter json;
  json.begin_object();
  json.key("type");
  json.number(2);
  json.member("payload", encode_base64(as_text(bytes)));
  json.key("position");
  json.number(segments_++);
  json.end_object();
  return tar_split_.add(json.take() + '\n');
}

Result<void> ChunkedToc::add_to_table(std::string entry) {
  TRY(table_.add(is_first_ ? "{\"version\":1,\"entries\":[" : ","));
  is_first_ = false;
  return table_.add(entry);
}

Result<void> ChunkedToc::add_entry(const ChunkedEntry& entry, const std::vector<Chunk>& chunks,
                                   const Digest& contents, std::uint64_t crc) {
  oci::JsonWriter json;
  json.begin_object();
  json.key("type");
  json.number(1);
  json.member("name", entry.name);
  member(json, "size", entry.size_bytes);
  std::string sum = little_endian(crc, 8);
  std::ranges::reverse(sum);
  json.key("payload");
  json.text(chunks.empty() ? "" : encode_base64(sum));
  json.key("position");
  json.number(segments_++);
  json.end_object();
  TRY(tar_split_.add(json.take() + '\n'));

  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < std::max<std::size_t>(chunks.size(), 1); ++i) {
    oci::JsonWriter line;
    line.begin_object();
    if (i == 0) {
      put_attributes(line, entry);
    } else {
      line.member("type", "chunk");
      line.member("name", entry.name);
    }
    if (i == 0 && !chunks.empty()) line.member("digest", contents.text());
    // The first one's end is that of the whole file, the others' their own.
    if (!chunks.empty())
      put_chunk(line, chunks[i], offset, (i == 0 ? chunks.back() : chunks[i]).end);
    line.end_object();
    TRY(add_to_table(line.take()));
    if (!chunks.empty()) offset += chunks[i].size_bytes;
  }
  return {};
}

Result<oci::Annotations> ChunkedToc::write(HashingSink& out) {
  TRY(tar_split_.sink.finish());
  const std::string& tar_split = tar_split_.packed.text;
  if (is_first_) TRY(table_.add("{\"version\":1,\"entries\":["));
  TRY(table_.add(fmt::format("],\"tarSplitDigest\":\"{}\"}}", sha256(tar_split).text())));
  TRY(table_.sink.finish());
  const std::string& table = table_.packed.text;

  const std::uint64_t table_begin = TRY(write_skippable(table, out));
  const std::uint64_t tar_split_begin = TRY(write_skippable(tar_split, out));
  std::string footer;
  for (const std::uint64_t number :
       {table_begin, std::uint64_t{table.size()}, table_.plain_bytes, kTableType, tar_split_begin,
        std::uint64_t{tar_split.size()}, tar_split_.plain_bytes}) {
    footer += little_endian(number, 8);
  }
  footer += kFooterMagic;
  SLIPWAY_CHECK(footer.size() == kChunkedFooterBytes);
  TRY(write_skippable(footer, out));
  return oci::Annotations{
      {std::string(kChunkedTocDigest), sha256(table).text()},
      {std::string(kChunkedTocPosition),
       fmt::format("{}:{}:{}:{}", table_begin, table.size(), table_.plain_bytes, kTableType)},
      {std::string(kChunkedTarSplitPosition),
       fmt::format("{}:{}:{}", tar_split_begin, tar_split.size(), tar_split_.plain_bytes)}};
}

}  // namespace slipway::layer
