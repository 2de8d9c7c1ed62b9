/// Writes large files past the page cache from a few buffers used again and again, on a thread of
/// its own, so that inflating and writing overlap. Who wants to hash what is written may do so on
/// another: of a wheel with one huge library, one core's work is what a machine with many waits
/// for.
///
/// Why: on virtual machines the first touch of page-cache memory costs more than the disk (5 GB:
/// 2 s direct, 9 to 14 s through a cold cache). Where the file system has no direct I/O, plain
/// writes take its place.
#pragma once

#include <time.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "base/io.h"
#include "base/unique_fd.h"
#include "layer/layout.h"

namespace slipway::layer {

class DirectWriter {
 public:
  static constexpr std::size_t kBufferBytes = 1024 * 1024;
  static constexpr std::size_t kBuffers = 6;
  /// From this size on an observer is worth its thread.
  static constexpr std::uint64_t kObservedBytes = 8 * 1024 * 1024;

  /// Sees a file's bytes in order.
  using Observer = std::function<void(Bytes)>;

  DirectWriter();
  /// Waits for what was submitted.
  ~DirectWriter();

  /// Until the end of its scope the observer has seen all that was submitted, also where something
  /// fails on the way: it borrows what may be gone afterwards.
  class ObserverScope {
   public:
    explicit ObserverScope(DirectWriter& writer) : writer_(writer) {}
    ~ObserverScope() { writer_.wait_for_observer(); }
    ObserverScope(const ObserverScope&) = delete;

   private:
    DirectWriter& writer_;
  };

  /// A file to be written from front to back; `shown` is for messages. `fd` was opened for writing
  /// and is empty; it gets the size at once, so a full disk shows here. `observer`, if any, is
  /// called on a thread of its own with what was submitted, before that is written; see
  /// ObserverScope.
  Result<void> begin(UniqueFd fd, std::uint64_t size_bytes, std::string shown,
                     Observer observer = {});
  /// The next buffer, aligned for direct I/O. Waits until one is free. Valid until `submit`.
  Result<std::span<std::byte>> buffer();
  /// Its first `count` bytes are next in the file. Only the last buffer of a file may be partly
  /// filled. Fails with what an earlier write failed of.
  Result<void> submit(std::size_t count);
  /// Ends the file: permission bits and time are set behind the last byte.
  Result<void> end(unsigned mode, timespec time = {kLayerTime, 0});
  /// Waits until all is written. Fails with what any write failed of.
  Result<void> finish();

 private:
  void wait_for_observer();

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::layer
