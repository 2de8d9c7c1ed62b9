/// What Decompressed makes plain bytes with, one for each kind of compression. Private to `layer`.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/io.h"

namespace slipway::layer {

/// What was read of the packed bytes and not yet used.
class PackedInput {
 public:
  explicit PackedInput(Source& from) : from_(from), buffer_(kBytes) {}
  /// At least `wanted` bytes, unless they end before. Valid until the next call.
  Result<Bytes> peek(std::size_t wanted);
  void take(std::size_t count) { begin_ += count; }

 private:
  static constexpr std::size_t kBytes = 1 << 18;
  Source& from_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0, end_ = 0;
};

class Codec {
 public:
  virtual ~Codec() = default;
  /// The next plain bytes; none at the end. Fails with Corrupt, as the end of a sentence, or as the
  /// source of the packed bytes does.
  virtual Result<std::size_t> read(std::span<std::byte> buffer) = 0;
};

/// How a codec fails of its bytes.
inline Error corrupt(std::string_view why) { return make_error(ErrorKind::Corrupt, "{}", why); }

/// Each takes the input from the first byte of what it is to read. All read one stream after
/// another, as the programs of these formats do.
std::unique_ptr<Codec> make_gzip_codec(PackedInput input);
std::unique_ptr<Codec> make_zstd_codec(PackedInput input);
std::unique_ptr<Codec> make_xz_codec(PackedInput input);
std::unique_ptr<Codec> make_bzip2_codec(PackedInput input);

}  // namespace slipway::layer
