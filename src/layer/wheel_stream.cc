#include "layer/wheel_stream.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "layer/zip_archive.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kReadBytes = 512 * 1024;
constexpr std::uint64_t kReadAhead = 8 * 1024 * 1024;

}  // namespace

WheelStream::WheelStream(int fd, std::uint64_t file_bytes,
                         std::function<Result<void>(std::size_t)> on_read)
    : fd_(fd),
      file_bytes_(file_bytes),
      on_read_(std::move(on_read)),
      buffer_(
          static_cast<std::size_t>(std::min<std::uint64_t>(file_bytes, kMostPeek + kReadBytes))) {}

Result<void> WheelStream::read_more() {
  if (read_bytes_ == file_bytes_) return make_error(ErrorKind::Corrupt, "ends too early");
  if (buffer_.size() - end_ < std::min<std::uint64_t>(kReadBytes, file_bytes_ - read_bytes_)) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(
      {kReadBytes, file_bytes_ - read_bytes_, static_cast<std::uint64_t>(buffer_.size() - end_)}));
  SLIPWAY_CHECK(count > 0);
  if (read_bytes_ % kReadAhead == 0) {
    ::posix_fadvise(fd_, static_cast<off_t>(read_bytes_), 2 * kReadAhead, POSIX_FADV_WILLNEED);
  }
  const std::span<std::byte> room = std::span(buffer_).subspan(end_, count);
  TRY(read_at(fd_, read_bytes_, room));
  end_ += count;
  read_bytes_ += count;
  return on_read_(count);
}

Result<Bytes> WheelStream::peek(std::size_t count) {
  SLIPWAY_CHECK(count <= kMostPeek);
  while (end_ - begin_ < count) TRY(read_more());
  return Bytes(buffer_).subspan(begin_, count);
}

Result<Bytes> WheelStream::take(std::uint64_t most) {
  const Bytes bytes = TRY(take_unhashed(most));
  hash_.update(bytes);
  return bytes;
}

Result<Bytes> WheelStream::take_unhashed(std::uint64_t most) {
  if (begin_ == end_) TRY(read_more());
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(most, end_ - begin_));
  const Bytes bytes = Bytes(buffer_).subspan(begin_, count);
  begin_ += count;
  position_ += count;
  return bytes;
}

Result<void> WheelStream::skip(std::uint64_t count) {
  while (count > 0) count -= TRY(take(count)).size();
  return {};
}

Result<Digest> WheelStream::finish() {
  TRY(skip(file_bytes_ - position_));
  return hash_.finish();
}

}  // namespace slipway::layer
