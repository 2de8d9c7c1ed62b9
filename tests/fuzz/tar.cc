/// Any bytes as a layer: what unpacks them and what reads the tar inside. Nothing may crash, read
/// beyond, or name a path outside; and the pieces in which the bytes come change nothing.
/// Compressed as zstd:chunked, the tar stays.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "layer/compress_chunked.h"
#include "layer/decompress.h"
#include "layer/tar_stream.h"

using namespace slipway;
using namespace slipway::layer;

namespace {

/// At most `piece` bytes at a time.
class Pieces final : public Source {
 public:
  Pieces(Bytes rest, std::size_t piece) : rest_(rest), piece_(piece) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min({rest_.size(), buffer.size(), piece_});
    std::copy_n(rest_.begin(), count, buffer.begin());
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  Bytes rest_;
  std::size_t piece_;
};

void check_path(const std::string& path) {
  if (path.starts_with('/') || path == ".." || path.starts_with("../") || path.ends_with("/..") ||
      path.find("/../") != std::string::npos || path.find('\0') != std::string::npos) {
    __builtin_trap();
  }
}

/// Nothing where it fails: how far damaged gzip data can be read depends on the pieces.
std::optional<std::string> listing(Bytes bytes, std::size_t piece) {
  constexpr std::size_t kMost = 4 << 20;  // of plain bytes: bombs are not what is looked for
  Pieces pieces(bytes, piece);
  Decompressed plain(pieces);
  TarStream tar(plain);
  std::string text;
  std::size_t seen = 0;
  std::byte buffer[4096];
  for (;;) {
    const auto item = tar.next();
    if (!item.ok()) return std::nullopt;
    if (!*item) return text;
    check_path((*item)->path);
    if ((*item)->kind == TarItem::Kind::HardLink) check_path((*item)->target);
    text += (*item)->path + '\n';
    for (;;) {
      const auto got = tar.read(buffer);
      if (!got.ok()) return std::nullopt;
      if (*got == 0) break;
      seen += *got;
      if (seen > kMost) return std::nullopt;
    }
  }
}

void check_chunked(Bytes bytes) {
  BytesSource source(bytes);
  StringSink packed;
  HashingSink counted(&packed);
  const auto layer = compress_chunked(source, counted, CancelToken());
  if (!layer.ok()) return;
  if (layer->annotations.empty() == layer->why_not.empty()) __builtin_trap();
  BytesSource again(as_bytes(packed.text));
  Decompressed plain(again);
  StringSink tar;
  if (!bytes.empty() && (!copy(plain, tar).ok() || tar.text != as_text(bytes))) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = std::as_bytes(std::span(data, size));
  if (listing(bytes, 1 << 20) != listing(bytes, 7)) __builtin_trap();
  check_chunked(bytes);
  return 0;
}
