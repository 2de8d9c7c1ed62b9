#include "layer/compress_chunked.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "base/check.h"
#include "layer/chunked_toc.h"
#include "layer/inflate.h"
#include "layer/tar_stream.h"
#include "layer/zstd_sink.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kTailBytes = 1 << 20;
/// Headers that follow each other share a frame of about this size.
constexpr std::size_t kBetweenBytes = 1 << 18;

/// Keeps what goes by until it is taken.
class KeepingSource final : public Source {
 public:
  explicit KeepingSource(Source& from) : from_(from) {}

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t got = TRY(from_.read(buffer));
    if (is_keeping_) kept_ += as_text(Bytes(buffer).first(got));
    return got;
  }
  void keep(bool is_keeping) { is_keeping_ = is_keeping; }
  std::string take() { return std::exchange(kept_, {}); }

 private:
  Source& from_;
  bool is_keeping_ = true;
  std::string kept_;
};

class Packer {
 public:
  Packer(Source& tar, HashingSink& out, const CancelToken& cancel)
      : kept_(tar), tar_(kept_), out_(out), frames_(out), cancel_(cancel) {}

  Result<ChunkedLayer> run() {
    SLIPWAY_CHECK(out_.size_bytes() == 0);
    while (const auto item = TRY(tar_.next())) {
      TRY(cancel_.check());
      TRY(add(*item));
    }
    TRY(add_end());
    ChunkedLayer layer;
    layer.why_not = why_not_;
    if (why_not_.empty()) layer.annotations = TRY(toc_.write(out_));
    return layer;
  }

 private:
  struct Contents {
    std::vector<Chunk> chunks;
    Digest digest;
    std::uint64_t crc = 0;
  };

  /// The first reason is the one that is told.
  void give_up(std::string why) {
    if (why_not_.empty()) why_not_ = std::move(why);
  }
  bool has_table() const { return why_not_.empty(); }

  /// The padding of the entry before, the headers, and the contents.
  Result<void> add(const TarItem& item) {
    const std::string front = kept_.take();
    between_ += front;
    if (item.size_bytes > 0 || between_.size() > kBetweenBytes) TRY(flush());
    const Contents contents = item.size_bytes > 0 ? TRY(pack_contents(item)) : Contents();
    if (!has_table()) return {};
    const auto entry = describe_entry(std::string_view(front).substr(padding_bytes_), item);
    padding_bytes_ = (kTarBlockBytes - item.size_bytes % kTarBlockBytes) % kTarBlockBytes;
    // Readers know a file by its path alone.
    if (!paths_.insert(item.path).second) {
      give_up(fmt::format("has the path `{}` twice", item.path));
    } else if (!entry.ok()) {
      give_up(entry.error().message);
    } else {
      TRY(toc_.add_segment(as_bytes(front)));
      TRY(toc_.add_entry(*entry, contents.chunks, contents.digest, contents.crc));
    }
    return {};
  }

  Result<void> flush() {
    if (between_.empty()) return {};
    TRY(frames_.write_frame(as_bytes(between_)));
    between_.clear();
    return {};
  }

  Result<Contents> pack_contents(const TarItem& item) {
    Contents contents;
    Sha256 all;
    kept_.keep(false);
    for (std::uint64_t left = item.size_bytes; left > 0;) {
      TRY(cancel_.check());
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, kChunkBytes));
      if (buffer_.size() < wanted) buffer_.resize(wanted);
      TRY(read_full(tar_, std::span(buffer_).first(wanted)));
      const Bytes bytes = Bytes(buffer_).first(wanted);
      Chunk chunk{out_.size_bytes(), 0, wanted, {}};
      TRY(frames_.write_frame(bytes));
      chunk.end = out_.size_bytes();
      contents.crc = crc64(contents.crc, bytes);
      if (item.size_bytes == wanted) {
        contents.digest = chunk.digest = sha256(bytes);
      } else {
        Sha256 own;
        update_both(own, bytes, all, bytes);
        chunk.digest = own.finish();
      }
      contents.chunks.push_back(chunk);
      left -= wanted;
    }
    if (contents.chunks.size() > 1) contents.digest = all.finish();
    kept_.keep(true);
    return contents;
  }

  /// The empty blocks, and what stands behind them.
  Result<void> add_end() {
    const std::string end = kept_.take();
    kept_.keep(false);
    between_ += end;
    TRY(flush());
    if (has_table() && !end.empty()) TRY(toc_.add_segment(as_bytes(end)));
    buffer_.resize(kTailBytes);
    while (const std::size_t got = TRY(read_full(kept_, buffer_))) {
      TRY(cancel_.check());
      const Bytes bytes = Bytes(buffer_).first(got);
      TRY(frames_.write_frame(bytes));
      const bool is_empty =
          std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
      if (!is_empty || got % kTarBlockBytes != 0) give_up("has bytes behind its end");
      if (has_table()) TRY(toc_.add_segment(bytes));
    }
    return {};
  }

  KeepingSource kept_;
  TarStream tar_;
  HashingSink& out_;
  ZstdSink frames_;
  const CancelToken& cancel_;
  ChunkedToc toc_;
  std::string between_;  ///< of the tar, not yet written
  std::string why_not_;
  std::size_t padding_bytes_ = 0;
  std::unordered_set<std::string> paths_;
  std::vector<std::byte> buffer_;
};

}  // namespace

Result<ChunkedLayer> compress_chunked(Source& tar, HashingSink& out, const CancelToken& cancel) {
  return Packer(tar, out, cancel).run();
}

}  // namespace slipway::layer
