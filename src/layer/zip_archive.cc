#include "layer/zip_archive.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "layer/inflate.h"

namespace slipway::layer {
namespace {

constexpr std::uint64_t kMostRead = 64 * 1024 * 1024;

Result<std::string> read_text(int fd, std::uint64_t offset, std::uint64_t size) {
  std::string text(size, '\0');
  TRY(read_at(fd, offset, std::as_writable_bytes(std::span(text))));
  return text;
}

}  // namespace

Error ZipArchive::blame(Error error) const {
  error.message = fmt::format("wheel `{}`{}{}", shown_name(name_),
                              error.kind == ErrorKind::Corrupt ? " " : ": ", error.message);
  if (error.kind == ErrorKind::Corrupt && error.hints.empty()) {
    error.hints.push_back("the file is damaged or was made to mislead; use another version of it");
  }
  return error;
}

Error ZipArchive::blame(Error error, const ZipMember& member) const {
  error.message = fmt::format("has a member `{}` that {}", shown_name(member.name), error.message);
  return blame(std::move(error));
}

Result<ZipArchive> ZipArchive::open(const std::string& path) {
  ZipArchive archive;
  archive.name_ = base_name(path);
  archive.fd_ = TRY(open_file(path, O_RDONLY));
  struct stat status;
  if (::fstat(archive.fd_.get(), &status) != 0) return errno_error("cannot look at `" + path + "`");
  archive.file_bytes_ = static_cast<std::uint64_t>(status.st_size);

  const std::uint64_t tail_bytes =
      std::min<std::uint64_t>(archive.file_bytes_, kZipEndBytes + kZip64EndBytes);
  const auto read_all = [&]() -> Result<void> {
    const std::string tail =
        TRY(read_text(archive.fd(), archive.file_bytes_ - tail_bytes, tail_bytes));
    archive.end_ = TRY(parse_zip_end(as_bytes(tail), archive.file_bytes_));
    const std::string directory =
        TRY(read_text(archive.fd(), archive.end_.directory_offset, archive.end_.directory_bytes));
    archive.members_ = TRY(parse_zip_directory(as_bytes(directory), archive.end_));
    return {};
  };
  Result<void> result = read_all();
  if (!result.ok()) return archive.blame(std::move(result).error());
  return archive;
}

const ZipMember* ZipArchive::find_member(std::string_view name) const {
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [&](const ZipMember& member) { return member.name == name; });
  return found == members_.end() ? nullptr : &*found;
}

Result<std::uint64_t> ZipArchive::find_data(const ZipMember& member) const {
  const std::string fixed = TRY(read_text(fd(), member.offset, kZipLocalBytes));
  const ZipLocal local = TRY(parse_zip_local(as_bytes(fixed)));
  const std::uint64_t header_bytes = kZipLocalBytes + local.name_bytes + local.extra_bytes;
  const std::string header = TRY(read_text(fd(), member.offset, header_bytes));
  TRY(check_zip_local(as_bytes(header), member));
  return member.offset + header_bytes;
}

Result<std::string> ZipArchive::read_start(const ZipMember& member, std::size_t bytes) const {
  SLIPWAY_CHECK(bytes <= 64);
  const auto read = [&]() -> Result<std::string> {
    // A deflate block may open with a table of up to some 300 bytes.
    const std::uint64_t taken = std::min<std::uint64_t>(member.compressed_bytes, 4096);
    const std::uint64_t offset = TRY(find_data(member));
    std::string raw = TRY(read_text(fd(), offset, taken));
    std::string text(std::min<std::uint64_t>(member.size_bytes, bytes), '\0');
    if (member.method == ZipMethod::Stored) return raw.substr(0, text.size());
    Inflater inflater;
    inflater.start(member.compressed_bytes, member.size_bytes);
    Bytes in = as_bytes(raw);
    text.resize(TRY(inflater.inflate(in, std::as_writable_bytes(std::span(text)))));
    return text;
  };
  Result<std::string> text = read();
  if (!text.ok()) return blame(std::move(text).error(), member);
  return text;
}

Result<std::string> ZipArchive::read_member(const ZipMember& member) const {
  const auto read = [&]() -> Result<std::string> {
    if (member.size_bytes > kMostRead) {
      return make_error(ErrorKind::Corrupt, "is far too large for what it is");
    }
    const std::uint64_t offset = TRY(find_data(member));
    std::string raw = TRY(read_text(fd(), offset, member.compressed_bytes));
    std::string text;
    if (member.method == ZipMethod::Stored) {
      text = std::move(raw);
    } else {
      text.resize(member.size_bytes);
      TRY(Inflater().inflate_whole(as_bytes(raw), std::as_writable_bytes(std::span(text))));
    }
    if (crc32(0, as_bytes(text)) != member.crc32) {
      return make_error(ErrorKind::Corrupt, "does not match its CRC");
    }
    return text;
  };
  Result<std::string> text = read();
  if (!text.ok()) return blame(std::move(text).error(), member);
  return text;
}

}  // namespace slipway::layer
