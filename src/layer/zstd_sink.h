/// Plain bytes as zstd frames (RFC 8878).
#pragma once

#include <memory>

#include "base/error.h"
#include "base/io.h"

namespace slipway::layer {

/// What is written here goes to the Sink below, compressed at the level of zstd's own tool, with a
/// checksum in each frame. Not for several threads at once. The bytes depend on the library.
class ZstdSink final : public Sink {
 public:
  /// Borrows `out`.
  explicit ZstdSink(Sink& out);
  ~ZstdSink() override;

  Result<void> write(Bytes bytes) override;
  /// Ends the frame. What is written after that begins another.
  Result<void> finish();
  /// A frame of these bytes alone, which tells their size. Not in the middle of another.
  Result<void> write_frame(Bytes bytes);

 private:
  struct State;
  Sink& out_;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::layer
