#include "base/io.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/unique_fd.h"

namespace slipway {
namespace {

constexpr std::size_t kLargeBuffer = 256 * 1024;

}  // namespace

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<void> read_at(int fd, std::uint64_t offset, std::span<std::byte> buffer) {
  while (!buffer.empty()) {
    const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("cannot read");
    if (count == 0) return make_error(ErrorKind::Corrupt, "ends too early");
    buffer = buffer.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<std::size_t> read_full(Source& source, std::span<std::byte> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const std::size_t got = TRY(source.read(buffer.subspan(filled)));
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

Result<std::size_t> BytesSource::read(std::span<std::byte> buffer) {
  const std::size_t count = std::min(buffer.size(), rest_.size());
  if (count > 0) std::memcpy(buffer.data(), rest_.data(), count);
  rest_ = rest_.subspan(count);
  return count;
}

Result<std::size_t> FdSource::read(std::span<std::byte> buffer) {
  for (;;) {
    const ssize_t count = ::read(fd_, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return errno_error("cannot read");
  }
}

Result<void> FdSink::write(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno_error("cannot write");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> StringSink::write(Bytes bytes) {
  text.append(as_text(bytes));
  return {};
}

Result<std::size_t> copy(Source& from, Sink& to) {
  // Most of what is copied is small: a large buffer comes from the kernel and costs more than that.
  std::array<std::byte, 16 * 1024> small;
  std::unique_ptr<std::byte[]> large;
  std::span<std::byte> buffer(small);
  std::size_t total = 0;
  for (;;) {
    const std::size_t count = TRY(from.read(buffer));
    if (count == 0) return total;
    TRY(to.write(Bytes(buffer).first(count)));
    total += count;
    if (!large && count == buffer.size()) {
      large = std::make_unique_for_overwrite<std::byte[]>(kLargeBuffer);
      buffer = {large.get(), kLargeBuffer};
    }
  }
}

}  // namespace slipway
