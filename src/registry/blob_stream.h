/// What is written, made into what is read: a blob that is made on the way, on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/error.h"
#include "base/io.h"

namespace slipway::registry {

/// Writes a blob from its first byte to its last; stops where the sink fails.
using WriteBlob = std::function<Result<void>(Sink& out)>;

/// A Source of the blob from `first` on. A few buffers lie between writer and reader. At its end,
/// and once the object dies, the writer is not running any more.
class BlobStream final : public Source {
 public:
  /// `write` is called on another thread, at once; what it borrows must outlive the stream.
  BlobStream(WriteBlob write, std::uint64_t first);
  ~BlobStream() override;
  /// Fails as `write` did.
  Result<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  class Pipe;
  std::unique_ptr<Pipe> pipe_;
};

}  // namespace slipway::registry
