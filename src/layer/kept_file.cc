#include "layer/kept_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kPieceBytes = 1 << 18;

}  // namespace

std::optional<KeptFile> KeptFile::open(const std::string& path, std::uint64_t size_bytes,
                                       Source& contents) {
  auto fd = open_file(path, O_RDONLY | O_NOFOLLOW);
  struct stat status {};
  if (!fd.ok() || ::fstat(fd->get(), &status) != 0) return std::nullopt;
  const bool is_fit = S_ISREG(status.st_mode) && status.st_nlink == 1 &&
                      static_cast<std::uint64_t>(status.st_size) == size_bytes;
  if (!is_fit) return std::nullopt;
  return KeptFile(std::move(*fd), path, size_bytes, contents);
}

Result<bool> KeptFile::is_same() {
  std::vector<std::byte> kept(kPieceBytes);
  other_.resize(kPieceBytes);
  while (same_bytes_ < size_bytes_) {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, size_bytes_ - same_bytes_));
    const std::size_t got = TRY(contents_->read(std::span(other_).first(wanted)));
    TRY(read_at(fd_.get(), same_bytes_, std::span(kept).first(got)));
    if (got == 0 || !std::ranges::equal(Bytes(other_).first(got), Bytes(kept).first(got))) {
      other_.resize(got);
      return false;
    }
    same_bytes_ += got;
  }
  other_.clear();
  return true;
}

bool KeptFile::link_to(int folder, const std::string& name) const {
  if (::linkat(AT_FDCWD, path_.c_str(), folder, name.c_str(), 0) != 0) return false;
  // Of two layers that take it at the same time none may: they can have other owners for it.
  struct stat status {};
  if (::fstat(fd_.get(), &status) == 0 && status.st_nlink == 2) return true;
  ::unlinkat(folder, name.c_str(), 0);
  return false;
}

Result<std::size_t> KeptFile::read(std::span<std::byte> buffer) {
  if (read_bytes_ < same_bytes_) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), same_bytes_ - read_bytes_));
    TRY(read_at(fd_.get(), read_bytes_, buffer.first(count)));
    read_bytes_ += count;
    return count;
  }
  if (other_read_ < other_.size()) {
    const std::size_t count = std::min(buffer.size(), other_.size() - other_read_);
    std::copy_n(other_.begin() + static_cast<std::ptrdiff_t>(other_read_), count, buffer.begin());
    other_read_ += count;
    return count;
  }
  return contents_->read(buffer);
}

}  // namespace slipway::layer
