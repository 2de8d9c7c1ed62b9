#include "http/part_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/file.h"

namespace slipway::http {
namespace {

// Written back while the rest arrives, so that the fsync(2) at the end finds little to do and a
// large file does not fill the page cache with dirty pages.
constexpr std::uint64_t kFlushBytes = 8U << 20U;

Error disk_error(const std::string& path, int number) {
  if (number == ENOSPC || number == EDQUOT) {
    return make_error(ErrorKind::Io, "the disk is full: cannot write `{}`", path)
        .hint(
            "make room, or move the cache with `SLIPWAY_CACHE`, then run the command again: it "
            "goes on from what is there");
  }
  return errno_error("cannot write `" + path + "`", number);
}

}  // namespace

Result<PartFile> PartFile::open(const std::string& path, bool lasts) {
  return PartFile(TRY(open_file(path, O_RDWR | O_CREAT | O_CLOEXEC)), path, lasts);
}

Result<void> PartFile::take_over() {
  hash_ = Sha256();
  size_bytes_ = 0;
  if (::lseek(fd_.get(), 0, SEEK_SET) < 0) return errno_error("cannot read `" + path_ + "`");
  FdSource source(fd_.get());
  std::vector<std::byte> buffer(1U << 20U);
  while (const std::size_t count = TRY(source.read(buffer))) {
    hash_.update(Bytes(buffer.data(), count));
    size_bytes_ += count;
  }
  flushed_bytes_ = size_bytes_;
  return {};
}

Result<void> PartFile::restart() {
  if (::ftruncate(fd_.get(), 0) != 0 && errno != EINVAL) return disk_error(path_, errno);
  if (::lseek(fd_.get(), 0, SEEK_SET) < 0) return disk_error(path_, errno);
  hash_ = Sha256();
  size_bytes_ = flushed_bytes_ = 0;
  return {};
}

Result<void> PartFile::append(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return disk_error(path_, errno);
    const auto written = static_cast<std::size_t>(count);
    hash_.update(bytes.first(written));
    size_bytes_ += written;
    bytes = bytes.subspan(written);
  }
  if (lasts_ && size_bytes_ - flushed_bytes_ >= kFlushBytes) {
    ::sync_file_range(fd_.get(), static_cast<off_t>(flushed_bytes_),
                      static_cast<off_t>(size_bytes_ - flushed_bytes_), SYNC_FILE_RANGE_WRITE);
    flushed_bytes_ = size_bytes_;
  }
  return {};
}

Result<void> PartFile::publish(const std::string& path) {
  if (lasts_ && ::fsync(fd_.get()) != 0) return disk_error(path_, errno);
  return rename_path(path_, path);
}

}  // namespace slipway::http
