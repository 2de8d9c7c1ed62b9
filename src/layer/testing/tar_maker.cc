#include "layer/testing/tar_maker.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>

#include "base/io.h"
#include "layer/decompress.h"
#include "layer/gzip_writer.h"

namespace slipway::layer::testing {

std::string raw_entry(const RawEntry& entry) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) {
    std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, entry.path.substr(0, 100));
  put(100, fmt::format("{:07o}", entry.mode));
  put(108, fmt::format("{:07o}", entry.uid));
  put(116, fmt::format("{:07o}", entry.gid));
  put(124,
      entry.size_field.empty() ? fmt::format("{:011o}", entry.contents.size()) : entry.size_field);
  put(136, fmt::format("{:011o}", entry.time));
  put(148, "        ");
  block[156] = entry.type;
  put(157, entry.target.substr(0, 100));
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  std::string text = block + entry.contents;
  text.append((512 - text.size() % 512) % 512, '\0');
  return text;
}

std::string raw_pax(std::initializer_list<std::pair<std::string, std::string>> records) {
  std::string text;
  for (const auto& [key, value] : records) {
    const std::size_t body = key.size() + value.size() + 3;
    std::size_t length = body + 1;
    while (fmt::format("{}", length).size() + body != length) ++length;
    text += fmt::format("{} {}={}\n", length, key, value);
  }
  return raw_entry({"pax", 'x', text});
}

std::string tar_end() { return std::string(1024, '\0'); }

std::string gzip(std::string_view plain) {
  StringSink packed;
  HashingSink counted(&packed);
  GzipWriter writer(counted);
  writer.encode(as_bytes(plain)).value();
  writer.finish().value();
  return packed.text;
}

std::string zstd(std::string_view plain) {
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 1));
  return packed;
}

std::string unpack(std::string_view blob) {
  BytesSource source(as_bytes(blob));
  Decompressed plain(source);
  StringSink sink;
  copy(plain, sink).value();
  return sink.text;
}

}  // namespace slipway::layer::testing
