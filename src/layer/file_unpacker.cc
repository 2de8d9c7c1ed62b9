#include "layer/file_unpacker.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "layer/item_attributes.h"

namespace slipway::layer {
namespace {

constexpr std::uint64_t kLargeBytes = 1 << 20;  ///< from here on written past the page cache
constexpr std::size_t kBufferBytes = 1 << 18;

}  // namespace

Result<void> FileUnpacker::write_large(const TarItem& item, UniqueFd fd, Source& contents) {
  const DirectWriter::ObserverScope scope(*large_);
  DirectWriter::Observer hash;
  if (tar_ != nullptr && item.size_bytes >= DirectWriter::kObservedBytes) {
    tar_->leave_unhashed(item.size_bytes);
    hash = [tar = tar_](Bytes bytes) { tar->hash_read(bytes); };
  }
  TRY(large_->begin(std::move(fd), item.size_bytes, item.path, std::move(hash)));
  for (std::uint64_t left = item.size_bytes; left > 0;) {
    const std::span<std::byte> buffer = TRY(large_->buffer());
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
    for (std::size_t filled = 0; filled < wanted;) {
      filled += TRY(contents.read(buffer.subspan(filled, wanted - filled)));
    }
    TRY(large_->submit(wanted));
    left -= wanted;
  }
  return large_->end(item.mode, time_of(item));
}

Result<void> FileUnpacker::end(const TarItem& item, int fd) {
  // Behind the last byte and the change of owner, either of which takes such rights away.
  left_out_ += set_attributes(fd, item);
  const timespec times[2] = {time_of(item), time_of(item)};
  if (::fchmod(fd, item.mode) != 0 || ::futimens(fd, times) != 0) {
    return failed("finish", item.path);
  }
  return {};
}

Result<void> FileUnpacker::write(const TarItem& item, const UniqueFd& fd, Source& contents) {
  buffer_.resize(kBufferBytes);
  FdSink out(fd.get());
  for (;;) {
    const std::size_t got = TRY(contents.read(buffer_));
    if (got == 0) break;
    TRY_WHILE(fmt::format("writing `{}`", item.path), out.write(Bytes(buffer_).first(got)));
  }
  return end(item, fd.get());
}

std::optional<KeptFile> FileUnpacker::find_kept(const TarItem& item, Source& contents) const {
  const auto path = find_kept_ ? find_kept_(item) : std::nullopt;
  return path ? KeptFile::open(*path, item.size_bytes, contents) : std::nullopt;
}

Result<void> FileUnpacker::add(const TarItem& item, int folder, const std::string& name,
                               Source& contents) {
  const bool is_large = item.size_bytes >= kLargeBytes && item.attributes.empty();
  auto kept = is_large ? find_kept(item, contents) : std::nullopt;
  if (kept && TRY(kept->is_same()) && kept->link_to(folder, name)) {
    TRY(give_away(kept->fd(), item, owners_));
    return end(item, kept->fd());
  }
  UniqueFd fd(
      ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return failed("create", item.path);
  TRY(give_away(fd.get(), item, owners_));
  if (kept) return write(item, fd, *kept);
  return is_large ? write_large(item, std::move(fd), contents) : write(item, fd, contents);
}

Result<std::uint64_t> FileUnpacker::finish() {
  TRY(large_->finish());
  return left_out_;
}

}  // namespace slipway::layer
