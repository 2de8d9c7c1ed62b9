#include <bzlib.h>

#include <algorithm>

#include "layer/codec.h"

namespace slipway::layer {
namespace {

class Bzip2Codec final : public Codec {
 public:
  explicit Bzip2Codec(PackedInput input) : input_(std::move(input)) {}
  ~Bzip2Codec() override { end(); }

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t room = std::min<std::size_t>(buffer.size(), 1U << 30U);
    stream_.next_out = reinterpret_cast<char*>(buffer.data());
    stream_.avail_out = static_cast<unsigned>(room);
    while (stream_.avail_out == room && room > 0) {
      const Bytes bytes = TRY(input_.peek(1));
      if (!is_within_ && bytes.empty()) break;
      if (!is_within_) begin();
      stream_.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(bytes.data()));
      stream_.avail_in = static_cast<unsigned>(bytes.size());
      const int result = BZ2_bzDecompress(&stream_);
      input_.take(bytes.size() - stream_.avail_in);
      if (result == BZ_STREAM_END) end();
      if (result != BZ_OK && result != BZ_STREAM_END) return corrupt("is damaged bzip2 data");
      if (bytes.empty() && stream_.avail_out == room) return corrupt("is cut short");
    }
    return room - stream_.avail_out;
  }

 private:
  void begin() {
    SLIPWAY_CHECK(BZ2_bzDecompressInit(&stream_, /*verbosity=*/0, /*small=*/0) == BZ_OK);
    is_within_ = true;
  }
  void end() {
    if (is_within_) BZ2_bzDecompressEnd(&stream_);
    is_within_ = false;
  }

  PackedInput input_;
  bz_stream stream_{};
  bool is_within_ = false;  ///< one of the streams
};

}  // namespace

std::unique_ptr<Codec> make_bzip2_codec(PackedInput input) {
  return std::make_unique<Bzip2Codec>(std::move(input));
}

}  // namespace slipway::layer
