#include "index/remote_zip.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>

#include "base/file.h"

namespace slipway::index {
namespace {

constexpr std::uint64_t kMostDirectoryBytes = 256U << 20U;
constexpr std::uint64_t kMostMemberBytes = 64U << 20U;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kEntryBytes = 46;
// A wheel's dist-info comes last (binary distribution format), so the METADATA tends to lie just
// before the directory: this much of it is read along.
constexpr std::uint64_t kBeforeDirectoryBytes = 64U << 10U;

Error broken(std::string_view what) {
  return make_error(ErrorKind::Corrupt, "the wheel is a broken zip: {}", what);
}

std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

struct Member {
  std::string name;
  std::uint64_t local_at = 0, compressed_bytes = 0, size_bytes = 0;
  std::uint32_t crc = 0;
  unsigned method = 0;
};

struct Directory {
  std::uint64_t at = 0, size_bytes = 0;
};

/// The part of the file that has been read: from `first` to its end.
class Window {
 public:
  explicit Window(RangeReader& reader) : reader_(reader) {}

  Result<void> open() {
    http::RangeBody tail = TRY(reader_.read_tail(kZipTailBytes));
    if (tail.first + tail.bytes.size() != tail.total_bytes) return broken("its end is missing");
    first_ = tail.first;
    total_ = tail.total_bytes;
    bytes_ = std::move(tail.bytes);
    return {};
  }
  std::uint64_t total() const { return total_; }
  std::string_view held() const { return bytes_; }
  std::uint64_t held_from() const { return first_; }

  /// Reads everything from `first` on that is not held yet.
  Result<void> extend_to(std::uint64_t first) {
    if (first >= first_) return {};
    bytes_.insert(0, TRY(reader_.read_range(first, first_ - first)));
    first_ = first;
    return {};
  }
  /// `count` bytes at `at`; they need not be held.
  Result<std::string> read(std::uint64_t at, std::uint64_t count) {
    if (at > total_ || count > total_ - at) return broken("it points past its end");
    if (at >= first_) return bytes_.substr(at - first_, count);
    if (count == 0) return std::string();
    return reader_.read_range(at, count);
  }

 private:
  RangeReader& reader_;
  std::uint64_t first_ = 0, total_ = 0;
  std::string bytes_;
};

std::optional<std::size_t> find_end(std::string_view tail) {
  for (std::size_t at = tail.size(); at-- > 0;) {
    if (tail.size() - at < kEndBytes || tail.compare(at, 4, "PK\x05\x06") != 0) continue;
    if (at + kEndBytes + number(tail, at + 20, 2) == tail.size()) return at;
  }
  return std::nullopt;
}

Result<Directory> find_directory(Window& window) {
  const auto end = find_end(window.held());
  if (!end) return broken("no end of central directory");
  const std::uint64_t end_at = window.held_from() + *end;
  Directory directory{number(window.held(), *end + 16, 4), number(window.held(), *end + 12, 4)};
  std::uint64_t limit = end_at;
  const bool is_zip64 = directory.at == 0xffffffff || directory.size_bytes == 0xffffffff ||
                        number(window.held(), *end + 10, 2) == 0xffff;
  if (is_zip64 && end_at >= 20) {
    const std::string locator = TRY(window.read(end_at - 20, 20));
    if (locator.starts_with("PK\x06\x07")) {
      limit = number(locator, 8, 8);
      const std::string record = TRY(window.read(limit, 56));
      if (!record.starts_with("PK\x06\x06")) return broken("no zip64 record");
      directory = {number(record, 48, 8), number(record, 40, 8)};
    }
  }
  if (directory.at > limit || directory.size_bytes > limit - directory.at) {
    return broken("its directory is not inside");
  }
  if (directory.size_bytes > kMostDirectoryBytes) return broken("its directory is too large");
  return directory;
}

/// The 64-bit values of the extra field stand for those that are all ones, in this order.
void apply_zip64(std::string_view extra, Member& member) {
  while (extra.size() >= 4) {
    const auto kind = number(extra, 0, 2);
    const auto size = static_cast<std::size_t>(number(extra, 2, 2));
    if (extra.size() - 4 < size) return;
    if (kind == 1) {
      std::size_t at = 4;
      for (std::uint64_t* value :
           {&member.size_bytes, &member.compressed_bytes, &member.local_at}) {
        if (*value != 0xffffffff || at + 8 > 4 + size) continue;
        *value = number(extra, at, 8);
        at += 8;
      }
    }
    extra.remove_prefix(4 + size);
  }
}

/// Whether a member is `<name>.dist-info/<wanted>`.
bool is_wanted(std::string_view name, std::string_view wanted) {
  constexpr std::string_view kFolder = ".dist-info/";
  if (!name.ends_with(wanted)) return false;
  name.remove_suffix(wanted.size());
  return name.ends_with(kFolder) && name.size() > kFolder.size() &&
         name.find('/') == name.size() - 1;
}

Result<Member> find_member(std::string_view directory, std::string_view wanted) {
  std::optional<Member> found;
  while (!directory.empty()) {
    if (directory.size() < kEntryBytes || !directory.starts_with("PK\x01\x02")) {
      return broken("its directory is cut or out of step");
    }
    const auto name_bytes = static_cast<std::size_t>(number(directory, 28, 2));
    const auto extra_bytes = static_cast<std::size_t>(number(directory, 30, 2));
    const std::size_t whole =
        kEntryBytes + name_bytes + extra_bytes + static_cast<std::size_t>(number(directory, 32, 2));
    if (whole > directory.size()) return broken("its directory is cut");
    const auto name = directory.substr(kEntryBytes, name_bytes);
    if (is_wanted(name, wanted)) {
      if (found) return broken(fmt::format("it has two {} files", wanted));
      found = Member{std::string(name),
                     number(directory, 42, 4),
                     number(directory, 20, 4),
                     number(directory, 24, 4),
                     static_cast<std::uint32_t>(number(directory, 16, 4)),
                     static_cast<unsigned>(number(directory, 10, 2))};
      apply_zip64(directory.substr(kEntryBytes + name_bytes, extra_bytes), *found);
    }
    directory.remove_prefix(whole);
  }
  if (!found) return make_error(ErrorKind::Corrupt, "the wheel has no {}", wanted);
  return std::move(*found);
}

Result<std::string> inflate(std::string_view packed, const Member& member) {
  std::string text;
  if (member.method == 0) {
    text = packed;
  } else if (member.method == 8) {
    text.resize(member.size_bytes);
    const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> engine(
        libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
    SLIPWAY_CHECK(engine != nullptr);
    const auto result = libdeflate_deflate_decompress(engine.get(), packed.data(), packed.size(),
                                                      text.data(), text.size(), nullptr);
    if (result != LIBDEFLATE_SUCCESS) return broken("a member does not inflate");
  } else {
    return make_error(ErrorKind::Unsupported, "the wheel's {} is compressed by method {}",
                      member.name, member.method);
  }
  if (text.size() != member.size_bytes ||
      libdeflate_crc32(0, text.data(), text.size()) != member.crc) {
    return broken(fmt::format("the size or CRC-32 of {} is wrong", member.name));
  }
  return text;
}

Result<std::string> read_member(Window& window, const Member& member) {
  if (member.compressed_bytes > kMostMemberBytes || member.size_bytes > kMostMemberBytes) {
    return broken(fmt::format("{} is too large", member.name));
  }
  if (member.local_at > window.total()) return broken("it points past its end");
  // The local header's extra field may be longer than the directory's: a guess, and a second read.
  const std::uint64_t guess =
      std::min(kLocalBytes + member.name.size() + 256 + member.compressed_bytes,
               window.total() - member.local_at);
  std::string bytes = TRY(window.read(member.local_at, guess));
  if (bytes.size() < kLocalBytes || !bytes.starts_with("PK\x03\x04")) {
    return broken(fmt::format("{} has no local header", member.name));
  }
  const std::uint64_t start = kLocalBytes + number(bytes, 26, 2) + number(bytes, 28, 2);
  if (start + member.compressed_bytes > bytes.size()) {
    bytes = TRY(window.read(member.local_at, start + member.compressed_bytes));
  }
  if (std::string_view(bytes).substr(kLocalBytes, number(bytes, 26, 2)) != member.name) {
    return broken("its directory and its local header disagree");
  }
  return inflate(std::string_view(bytes).substr(start, member.compressed_bytes), member);
}

class FileReader final : public RangeReader {
 public:
  explicit FileReader(Bytes bytes) : bytes_(as_text(bytes)) {}
  Result<http::RangeBody> read_tail(std::uint64_t count) override {
    const std::uint64_t first = bytes_.size() - std::min<std::uint64_t>(count, bytes_.size());
    return http::RangeBody{std::string(bytes_.substr(first)), first, bytes_.size()};
  }
  Result<std::string> read_range(std::uint64_t first, std::uint64_t count) override {
    return std::string(bytes_.substr(first, count));
  }

 private:
  std::string_view bytes_;
};

Result<std::string> read_dist_info(RangeReader& reader, std::string_view wanted) {
  Window window(reader);
  TRY(window.open());
  const Directory directory = TRY(find_directory(window));
  if (directory.at < window.held_from()) {
    TRY(window.extend_to(directory.at - std::min(directory.at, kBeforeDirectoryBytes)));
  }
  const std::string entries = TRY(window.read(directory.at, directory.size_bytes));
  const Member member = TRY(find_member(entries, wanted));
  return read_member(window, member);
}

}  // namespace

Result<std::string> read_wheel_metadata(RangeReader& reader) {
  return read_dist_info(reader, "METADATA");
}

Result<std::string> read_wheel_record(RangeReader& reader) {
  return read_dist_info(reader, "RECORD");
}

Result<std::string> read_wheel_metadata_of_file(const std::string& path) {
  const MappedFile file = TRY(MappedFile::open(path));
  FileReader reader(file.bytes());
  return read_wheel_metadata(reader);
}

}  // namespace slipway::index
