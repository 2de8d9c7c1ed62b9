#include <isa-l/igzip_lib.h>

#include <algorithm>

#include "layer/codec.h"

namespace slipway::layer {
namespace {

class GzipCodec final : public Codec {
 public:
  explicit GzipCodec(PackedInput input) : input_(std::move(input)) {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
  }

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    std::size_t made = 0;
    while (made == 0 && !is_over_) {
      if (state_.block_state == ISAL_BLOCK_FINISH && !TRY(next_member())) break;
      made = TRY(inflate(buffer));
    }
    return made;
  }

 private:
  Result<std::size_t> inflate(std::span<std::byte> buffer) {
    const Bytes bytes = TRY(input_.peek(1));
    const std::size_t room = std::min<std::size_t>(buffer.size(), 1U << 30U);
    state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(bytes.data()));
    state_.avail_in = static_cast<std::uint32_t>(bytes.size());
    state_.next_out = reinterpret_cast<std::uint8_t*>(buffer.data());
    state_.avail_out = static_cast<std::uint32_t>(room);
    const int result = isal_inflate(&state_);
    if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT)
      return corrupt("is damaged gzip data");
    const std::size_t made = room - state_.avail_out;
    input_.take(bytes.size() - state_.avail_in);
    if (bytes.empty() && made == 0 && state_.block_state != ISAL_BLOCK_FINISH) {
      return corrupt("is cut short");
    }
    return made;
  }

  /// False at the end, behind which zeros may stand (tapes, block devices).
  Result<bool> next_member() {
    const Bytes bytes = TRY(input_.peek(2));
    if (as_text(bytes).starts_with("\x1f\x8b")) {
      isal_inflate_reset(&state_);
      state_.crc_flag = ISAL_GZIP;
      return true;
    }
    is_over_ = true;
    for (Bytes rest = bytes; !rest.empty(); rest = TRY(input_.peek(1))) {
      if (std::ranges::any_of(rest, [](std::byte b) { return b != std::byte{0}; })) {
        return corrupt("has other bytes behind its gzip data");
      }
      input_.take(rest.size());
    }
    return false;
  }

  PackedInput input_;
  inflate_state state_;
  bool is_over_ = false;
};

}  // namespace

std::unique_ptr<Codec> make_gzip_codec(PackedInput input) {
  return std::make_unique<GzipCodec>(std::move(input));
}

}  // namespace slipway::layer
