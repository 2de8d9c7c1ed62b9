#include "lazy/blob_pieces.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"

namespace slipway::lazy {
namespace {

constexpr char kThere = '1', kMissing = '0';

}  // namespace

Result<BlobPieces> BlobPieces::open(const std::string& path, std::uint64_t size_bytes) {
  BlobPieces blob;
  blob.path_ = path;
  blob.size_bytes_ = size_bytes;
  blob.count_ = static_cast<std::size_t>((size_bytes + kPieceBytes - 1) / kPieceBytes);
  blob.states_ = std::make_unique<std::atomic<State>[]>(blob.count_);
  const std::string marks_path = blob.marks_path();
  std::string marks;
  if (path_exists(path) && path_exists(marks_path) && TRY(file_size(path)) == size_bytes) {
    marks = TRY(read_file(marks_path));
  }
  if (marks.size() != blob.count_) marks.assign(blob.count_, kMissing);
  blob.marks_ = TRY(open_file(marks_path, O_RDWR | O_CREAT, 0600));
  TRY(write_at(blob.marks_.get(), as_bytes(marks), 0, marks_path));
  blob.file_ = TRY(open_file(path, O_RDWR | O_CREAT, 0600));
  if (::ftruncate(blob.file_.get(), static_cast<off_t>(size_bytes)) != 0) {
    return errno_error(fmt::format("cannot set the size of `{}`", path));
  }
  for (std::size_t i = 0; i < blob.count_; ++i) {
    blob.states_[i] = marks[i] == kThere ? State::There : State::Missing;
  }
  return blob;
}

bool BlobPieces::is_complete() const {
  return std::none_of(states_.get(), states_.get() + count_,
                      [](const auto& state) { return state == State::Missing; });
}

std::uint64_t BlobPieces::bytes_come() const {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    if (state(i) != State::Missing) bytes += std::min(kPieceBytes, size_bytes_ - i * kPieceBytes);
  }
  return bytes;
}

void BlobPieces::set(std::size_t first_piece, std::size_t count, State state) {
  for (std::size_t i = 0; i < count; ++i) {
    states_[first_piece + i].store(state, std::memory_order_release);
  }
}

Result<void> BlobPieces::mark(std::size_t first_piece, std::size_t count, State state) {
  const std::string marks(count, state == State::There ? kThere : kMissing);
  TRY(write_at(marks_.get(), as_bytes(marks), first_piece, marks_path()));
  set(first_piece, count, state);
  return {};
}

Result<void> BlobPieces::write(std::size_t first_piece, Bytes bytes) {
  TRY(write_at(file_.get(), bytes, first_piece * kPieceBytes, path_));
  return mark(first_piece, (bytes.size() + kPieceBytes - 1) / kPieceBytes, State::There);
}

void BlobPieces::hold(std::size_t first_piece, Bytes bytes) {
  const std::lock_guard lock(held_->mutex);
  for (std::size_t piece = first_piece; !bytes.empty(); ++piece) {
    const Bytes its = bytes.first(std::min<std::size_t>(bytes.size(), kPieceBytes));
    held_->pieces[piece] = as_text(its);
    held_->bytes += its.size();
    bytes = bytes.subspan(its.size());
    set(piece, 1, State::There);
  }
}

bool BlobPieces::holds(std::size_t piece) const {
  const std::lock_guard lock(held_->mutex);
  return held_->pieces.contains(piece);
}

void BlobPieces::drop_held(std::size_t piece) {
  const std::lock_guard lock(held_->mutex);
  if (const auto node = held_->pieces.extract(piece)) held_->bytes -= node.mapped().size();
}

Result<void> BlobPieces::write_held(std::size_t first_piece, std::size_t count) {
  std::string bytes;
  for (std::size_t piece = first_piece; piece < first_piece + count; ++piece) {
    if (!holds(piece)) continue;
    bytes.resize(kPieceBytes);
    const std::size_t size =
        read_held(piece * kPieceBytes, std::as_writable_bytes(std::span(bytes)));
    if (size == 0) continue;  // another thread has just written it
    TRY(write(piece, as_bytes(bytes).first(size)));
    drop_held(piece);
  }
  return {};
}

/// None where that place is not held.
std::size_t BlobPieces::read_held(std::uint64_t offset, std::span<std::byte> buffer) const {
  const std::lock_guard lock(held_->mutex);
  const auto found = held_->pieces.find(static_cast<std::size_t>(offset / kPieceBytes));
  if (found == held_->pieces.end()) return 0;
  const Bytes rest = as_bytes(found->second).subspan(offset % kPieceBytes);
  const std::size_t count = std::min(rest.size(), buffer.size());
  std::copy_n(rest.begin(), count, buffer.begin());
  return count;
}

Result<std::size_t> BlobPieces::read(std::uint64_t offset, std::span<std::byte> buffer) const {
  if (held_bytes() > 0) {
    if (const std::size_t got = read_held(offset, buffer); got > 0) return got;
    // The piece behind this one may be held.
    buffer = buffer.first(std::min<std::size_t>(buffer.size(), kPieceBytes - offset % kPieceBytes));
  }
  for (;;) {
    const ssize_t got =
        ::pread(file_.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return errno_error(fmt::format("cannot read `{}`", path_));
  }
}

Result<void> BlobPieces::forget(std::size_t piece) {
  TRY(mark(piece, 1, State::Missing));
  drop_held(piece);
  return {};
}

Result<void> BlobPieces::release(std::size_t first_piece, std::size_t count) {
  bool is_on_disk = false;
  for (std::size_t i = 0; i < count; ++i) is_on_disk = is_on_disk || !holds(first_piece + i);
  if (is_on_disk) {
    TRY(mark(first_piece, count, State::Released));
    const auto at = static_cast<off_t>(first_piece * kPieceBytes);
    const auto bytes = static_cast<off_t>(count * kPieceBytes);
    // Where the file system cannot, they go with the file.
    (void)::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, bytes);
  }
  set(first_piece, count, State::Released);
  for (std::size_t i = 0; i < count; ++i) drop_held(first_piece + i);
  return {};
}

Result<void> BlobPieces::remove_marks() const { return remove_file(marks_path()); }

Result<void> BlobPieces::drop() const {
  if (::ftruncate(file_.get(), 0) == 0) return {};
  return errno_error(fmt::format("cannot empty `{}`", path_));
}

}  // namespace slipway::lazy
