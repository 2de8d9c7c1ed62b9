#include "lazy/rebuilt_layer.h"

#include <fcntl.h>

#include <algorithm>

#include "base/file.h"
#include "layer/decompress.h"

namespace slipway::lazy {
namespace {

/// The pieces of a blob between two places.
class BlobRange final : public Source {
 public:
  BlobRange(const BlobPieces& blob, std::uint64_t first, std::uint64_t end)
      : blob_(blob), next_(first), end_(end) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), end_ - next_));
    const std::size_t got = TRY(blob_.read(next_, buffer.first(wanted)));
    next_ += got;
    return got;
  }

 private:
  const BlobPieces& blob_;
  std::uint64_t next_, end_;
};

class PackedSection final : public Source {
 public:
  PackedSection(const BlobPieces& blob, std::uint64_t first, std::uint64_t end)
      : packed_(blob, first, end), plain_(packed_) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override { return plain_.read(buffer); }

 private:
  BlobRange packed_;
  layer::Decompressed plain_;
};

class UnpackedSection final : public Source {
 public:
  UnpackedSection(UniqueFd file, UniqueFd tail) : file_(std::move(file)), tail_(std::move(tail)) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t got = TRY(FdSource(file_.get()).read(buffer));
    return got > 0 ? got : FdSource(tail_.get()).read(buffer);
  }

 private:
  UniqueFd file_, tail_;
};

}  // namespace

std::uint64_t most_tar_bytes(const std::vector<Entry>& entries) {
  // Each entry has a header, and can have others before it for long names and attributes.
  constexpr std::uint64_t kMostHeaders = 1 << 16;
  std::uint64_t bytes = kMostHeaders;
  for (const Entry& entry : entries) {
    bytes += kMostHeaders + entry.item.size_bytes;
    for (const auto& [name, value] : entry.item.attributes) bytes += name.size() + value.size();
  }
  return bytes;
}

RebuiltLayer::RebuiltLayer(const BlobPieces& blob, std::vector<UnpackedPart> parts,
                           std::uint64_t most_bytes)
    : blob_(blob), parts_(std::move(parts)), left_bytes_(most_bytes) {
  std::ranges::sort(parts_, {}, &UnpackedPart::offset);
}

Result<bool> RebuiltLayer::begin_next() {
  // Parts that overlap are of a table that contradicts itself; the diff_id will tell.
  while (next_part_ < parts_.size() && parts_[next_part_].offset < at_) ++next_part_;
  const bool is_last = next_part_ == parts_.size();
  const std::uint64_t end = is_last ? blob_.size_bytes() : parts_[next_part_].offset;
  if (at_ < end) {
    section_ = std::make_unique<PackedSection>(blob_, at_, end);
    at_ = end;
    return true;
  }
  if (is_last) return false;
  const UnpackedPart& part = parts_[next_part_++];
  UniqueFd file = TRY(open_file(part.path, O_RDONLY | O_NOFOLLOW));
  UniqueFd tail = TRY(open_file(part.tail_path, O_RDONLY | O_NOFOLLOW));
  section_ = std::make_unique<UnpackedSection>(std::move(file), std::move(tail));
  at_ = part.end;
  return true;
}

Result<std::size_t> RebuiltLayer::read(std::span<std::byte> buffer) {
  if (buffer.empty()) return std::size_t{0};
  for (;;) {
    if (section_) {
      const std::size_t got = TRY(section_->read(buffer));
      if (got > left_bytes_) {
        return make_error(ErrorKind::Corrupt, "is larger than its table of contents says");
      }
      left_bytes_ -= got;
      if (got > 0) return got;
    }
    if (!TRY(begin_next())) return std::size_t{0};
  }
}

}  // namespace slipway::lazy
