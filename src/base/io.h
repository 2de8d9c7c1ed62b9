/// Source and Sink: how large data moves without ever being whole in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway {

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Bytes to be read once, front to back. `read` blocks, fills at most `buffer` and returns how
/// much; 0 is the end.
class Source {
 public:
  virtual ~Source() = default;
  virtual Result<std::size_t> read(std::span<std::byte> buffer) = 0;
};

/// Fills `buffer` from the file's `offset`; Corrupt where the file is shorter.
Result<void> read_at(int fd, std::uint64_t offset, std::span<std::byte> buffer);

/// Fills `buffer`, or less where the source ends before; returns how much.
Result<std::size_t> read_full(Source& source, std::span<std::byte> buffer);

/// Takes all of `bytes`, or fails.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<void> write(Bytes bytes) = 0;
};

/// A Source over memory that it borrows.
class BytesSource final : public Source {
 public:
  explicit BytesSource(Bytes bytes) : rest_(bytes) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  Bytes rest_;
};

/// Sources and Sinks over a descriptor that they borrow.
class FdSource final : public Source {
 public:
  explicit FdSource(int fd) : fd_(fd) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  int fd_;
};

class FdSink final : public Sink {
 public:
  explicit FdSink(int fd) : fd_(fd) {}
  Result<void> write(Bytes bytes) override;

 private:
  int fd_;
};

/// Collects what is written: for small things and tests.
class StringSink final : public Sink {
 public:
  Result<void> write(Bytes bytes) override;
  std::string text;
};

/// Copies to the end of `from`. Returns the number of bytes.
Result<std::size_t> copy(Source& from, Sink& to);

}  // namespace slipway
