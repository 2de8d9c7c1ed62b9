/// A blob that comes in pieces, in any order: a sparse file, and beside it `<file>.pieces` with one
/// byte for each piece, `1` where it is there.
///
/// A piece is marked after it was written, so a killed process loses no piece and claims none. What
/// a power cut spoils is found by the digests. A piece that nobody needs any more is released: it
/// has had its use, and its room is given back. To the next process it is missing, as is one that
/// is held in memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "base/error.h"
#include "base/io.h"
#include "base/unique_fd.h"

namespace slipway::lazy {

/// Safe for several threads.
class BlobPieces {
 public:
  static constexpr std::uint64_t kPieceBytes = 1 << 20;

  /// Takes up what is there of the same size.
  static Result<BlobPieces> open(const std::string& path, std::uint64_t size_bytes);

  const std::string& path() const { return path_; }
  std::uint64_t size_bytes() const { return size_bytes_; }
  std::size_t count() const { return count_; }
  bool has(std::size_t piece) const { return state(piece) == State::There; }
  /// Nothing is missing: all is there, or was and has been released.
  bool is_complete() const;
  /// Those released are counted.
  std::uint64_t bytes_come() const;

  /// Whole pieces, the last one of the blob shorter.
  Result<void> write(std::size_t first_piece, Bytes bytes);
  /// As write, but in memory: they are about to be read and released.
  void hold(std::size_t first_piece, Bytes bytes);
  /// Writes those of these pieces that are held.
  Result<void> write_held(std::size_t first_piece, std::size_t count);
  std::uint64_t held_bytes() const { return held_->bytes.load(std::memory_order_relaxed); }
  /// Bytes that are there: at least one, but at the end of the blob.
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> buffer) const;
  /// The piece is missing again.
  Result<void> forget(std::size_t piece);
  /// Nobody reads these pieces, nor will. Where that fails, they are as before.
  Result<void> release(std::size_t first_piece, std::size_t count);
  /// The file has another place now, or none.
  Result<void> remove_marks() const;
  /// It has none, and its room is given back: as long as it is open, the kernel would write what
  /// has not reached the disk.
  Result<void> drop() const;

 private:
  enum class State : std::uint8_t { Missing, There, Released };

  struct Held {
    std::mutex mutex;
    std::map<std::size_t, std::string> pieces;
    std::atomic<std::uint64_t> bytes = 0;
  };

  BlobPieces() = default;
  std::string marks_path() const { return path_ + ".pieces"; }
  State state(std::size_t piece) const { return states_[piece].load(std::memory_order_acquire); }
  void set(std::size_t first_piece, std::size_t count, State state);
  Result<void> mark(std::size_t first_piece, std::size_t count, State state);
  bool holds(std::size_t piece) const;
  void drop_held(std::size_t piece);
  std::size_t read_held(std::uint64_t offset, std::span<std::byte> buffer) const;

  std::string path_;
  std::uint64_t size_bytes_ = 0;
  std::size_t count_ = 0;
  UniqueFd file_, marks_;
  std::unique_ptr<std::atomic<State>[]> states_;
  std::unique_ptr<Held> held_ = std::make_unique<Held>();
};

}  // namespace slipway::lazy
