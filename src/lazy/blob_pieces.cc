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
  blob.there_ = std::make_unique<std::atomic<bool>[]>(blob.count_);
  const std::string marks_path = path + ".pieces";
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
  for (std::size_t i = 0; i < blob.count_; ++i) blob.there_[i] = marks[i] == kThere;
  return blob;
}

bool BlobPieces::is_whole() const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (!has(i)) return false;
  }
  return true;
}

std::uint64_t BlobPieces::bytes_there() const {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    if (has(i)) bytes += std::min(kPieceBytes, size_bytes_ - i * kPieceBytes);
  }
  return bytes;
}

Result<void> BlobPieces::write(std::size_t first_piece, Bytes bytes) {
  TRY(write_at(file_.get(), bytes, first_piece * kPieceBytes, path_));
  const auto pieces = static_cast<std::size_t>((bytes.size() + kPieceBytes - 1) / kPieceBytes);
  TRY(write_at(marks_.get(), as_bytes(std::string(pieces, kThere)), first_piece, path_));
  for (std::size_t i = 0; i < pieces; ++i) {
    there_[first_piece + i].store(true, std::memory_order_release);
  }
  return {};
}

Result<std::size_t> BlobPieces::read(std::uint64_t offset, std::span<std::byte> buffer) const {
  for (;;) {
    const ssize_t got =
        ::pread(file_.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return errno_error(fmt::format("cannot read `{}`", path_));
  }
}

Result<void> BlobPieces::forget(std::size_t piece) {
  there_[piece] = false;
  return write_at(marks_.get(), as_bytes(std::string(1, kMissing)), piece, path_);
}

Result<void> BlobPieces::remove_marks() const { return remove_file(path_ + ".pieces"); }

}  // namespace slipway::lazy
