/// A wheel's file read once, front to back, through one small buffer; every byte that is taken is
/// hashed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"

namespace slipway::layer {

class WheelStream {
 public:
  static constexpr std::size_t kMostPeek = 1024 * 1024 + 128 * 1024;

  /// Borrows `fd`. `on_read` is called with the size of each piece read, and may stop it.
  WheelStream(int fd, std::uint64_t file_bytes,
              std::function<Result<void>(std::size_t bytes)> on_read);

  /// Of the next byte that was not taken.
  std::uint64_t position() const { return position_; }
  /// The next `count` bytes (at most kMostPeek) without taking them. Valid until the next call.
  Result<Bytes> peek(std::size_t count);
  /// Takes at least 1 and at most `most` bytes. Valid until the next call.
  Result<Bytes> take(std::uint64_t most);
  /// The same, but it is for the caller to put them into `hash`, beside another.
  Result<Bytes> take_unhashed(std::uint64_t most);
  Sha256& hash() { return hash_; }
  Result<void> skip(std::uint64_t count);
  /// Goes to the end of the file. The sha256 of all of it.
  Result<Digest> finish();

 private:
  Result<void> read_more();

  int fd_;
  std::uint64_t file_bytes_;
  std::function<Result<void>(std::size_t)> on_read_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0, end_ = 0;  ///< what was read and not taken
  std::uint64_t position_ = 0;
  std::uint64_t read_bytes_ = 0;
  Sha256 hash_;
};

}  // namespace slipway::layer
