#include "layer/zip_directory.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "layer/zip_bytes.h"
#include "layer/zip_name.h"

namespace slipway::layer {
namespace {

// APPNOTE 4.3: the signatures of the records, and the values that send the reader to zip64.
constexpr std::uint32_t kDirectoryRecord = 0x02014b50, kEndRecord = 0x06054b50;
constexpr std::uint32_t kZip64End = 0x06064b50, kZip64Locator = 0x07064b50;
constexpr std::uint16_t kSee64Short = 0xffff;
constexpr std::uint32_t kSee64 = 0xffffffff;
constexpr std::size_t kDirectoryRecordBytes = 46;
constexpr std::uint16_t kZip64Extra = 1;
// Flags (4.4.4): encrypted, patched, strongly encrypted, hidden header values; UTF-8.
constexpr std::uint16_t kRefusedFlags = 1 | 1 << 5 | 1 << 6 | 1 << 13;
constexpr std::uint16_t kUtf8Flag = 1 << 11;
// A deflate match is at most 258 bytes for 2 bits, so nothing grows by more than about 1032.
constexpr std::uint64_t kMostGrowth = 1032;
constexpr std::uint64_t kBombBytes = 1ULL << 30, kBombRatio = 100;

template <typename... Args>
Error member_error(std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
  return make_error(ErrorKind::Corrupt, "member `{}` {}", shown_name(name),
                    fmt::format(format, std::forward<Args>(args)...));
}

/// The body of the zip64 extra field, empty where there is none; nothing where the fields are cut.
std::optional<Bytes> find_zip64_extra(Bytes extra) {
  Bytes found;
  while (!extra.empty()) {
    if (extra.size() < 4) return std::nullopt;
    const std::size_t size = read16(extra, 2);
    if (extra.size() < 4 + size) return std::nullopt;
    if (read16(extra, 0) == kZip64Extra) {
      if (!found.empty()) return std::nullopt;
      found = extra.subspan(4, size);
    }
    extra = extra.subspan(4 + size);
  }
  return found;
}

/// 4.5.3: the zip64 field holds, in a fixed order, just those numbers whose 32-bit form says so.
bool take64(Bytes& field, std::uint64_t& value) {
  if (value != kSee64) return true;
  if (field.size() < 8) return false;
  value = read64(field, 0);
  field = field.subspan(8);
  return true;
}

Result<ZipMember> parse_record(Bytes& rest) {
  if (rest.size() < kDirectoryRecordBytes || read32(rest, 0) != kDirectoryRecord) {
    return make_error(ErrorKind::Corrupt, "the directory is damaged");
  }
  const std::size_t name_bytes = read16(rest, 28), extra_bytes = read16(rest, 30);
  const std::size_t whole = kDirectoryRecordBytes + name_bytes + extra_bytes + read16(rest, 32);
  if (rest.size() < whole) return make_error(ErrorKind::Corrupt, "the directory is cut short");
  ZipMember member;
  member.flags = read16(rest, 8);
  member.crc32 = read32(rest, 16);
  member.compressed_bytes = read32(rest, 20);
  member.size_bytes = read32(rest, 24);
  member.unix_mode = read32(rest, 38) >> 16;
  member.offset = read32(rest, 42);
  member.name = as_text(rest.subspan(kDirectoryRecordBytes, name_bytes));
  const std::uint16_t method = read16(rest, 10), disk = read16(rest, 34);
  const auto zip64 =
      find_zip64_extra(rest.subspan(kDirectoryRecordBytes + name_bytes, extra_bytes));
  rest = rest.subspan(whole);

  if (const std::string fault = find_name_fault(member.name, (member.flags & kUtf8Flag) != 0);
      !fault.empty()) {
    return member_error(member.name, "{}", fault);
  }
  if (!zip64) return member_error(member.name, "has a damaged extra field");
  Bytes field = *zip64;
  if (!take64(field, member.size_bytes) || !take64(field, member.compressed_bytes) ||
      !take64(field, member.offset)) {
    return member_error(member.name, "lacks its zip64 sizes");
  }
  if ((member.flags & kRefusedFlags) != 0)
    return member_error(member.name, "is encrypted or patched");
  if (disk != 0) return member_error(member.name, "lies on another disk of a split archive");
  if (method != 0 && method != 8) {
    return member_error(member.name, "is compressed by method {}; wheels use deflate", method);
  }
  member.method = static_cast<ZipMethod>(method);
  return member;
}

Result<void> check_sizes(const ZipMember& member) {
  if (member.is_folder() && member.size_bytes != 0) {
    return member_error(member.name, "is a folder with contents");
  }
  if (member.method == ZipMethod::Stored) {
    if (member.size_bytes == member.compressed_bytes) return {};
    return member_error(member.name, "is stored, but its two sizes differ");
  }
  if (member.size_bytes / kMostGrowth > member.compressed_bytes) {
    return member_error(member.name, "claims to unpack {} bytes to {}, more than deflate can",
                        member.compressed_bytes, member.size_bytes);
  }
  return {};
}

/// The records must follow each other; how long an extra field of a local header is shows later.
Result<void> check_places(std::span<const ZipMember> members, std::uint64_t directory_offset) {
  std::uint64_t free_from = 0, total = 0;
  for (const ZipMember& member : members) {
    if (member.offset < free_from) return member_error(member.name, "overlaps another member");
    const std::uint64_t least = kZipLocalBytes + member.name.size();
    if (member.offset > directory_offset || least > directory_offset - member.offset ||
        member.compressed_bytes > directory_offset - member.offset - least) {
      return member_error(member.name, "reaches into the directory");
    }
    free_from = member.offset + least + member.compressed_bytes;
    if (__builtin_add_overflow(total, member.size_bytes, &total)) total = UINT64_MAX;
  }
  if (total > kBombBytes && total / kBombRatio > directory_offset) {
    return make_error(ErrorKind::Corrupt, "claims to unpack {} bytes to {}: this looks like a bomb",
                      directory_offset, total);
  }
  return {};
}

}  // namespace

Result<ZipEnd> parse_zip_end(Bytes tail, std::uint64_t file_bytes) {
  if (tail.size() < kZipEndBytes)
    return make_error(ErrorKind::Corrupt, "is too short for a zip file");
  const Bytes end = tail.last(kZipEndBytes);
  if (read32(end, 0) != kEndRecord || read16(end, 20) != 0) {
    return make_error(ErrorKind::Corrupt,
                      "is no zip file, was cut short, or goes on after its end");
  }
  const bool is_split =
      read16(end, 4) != 0 || read16(end, 6) != 0 || read16(end, 8) != read16(end, 10);
  ZipEnd found{read32(end, 16), read32(end, 12), read16(end, 10)};
  std::uint64_t records_start = file_bytes - kZipEndBytes;
  const bool has_zip64 = tail.size() >= kZipEndBytes + kZip64EndBytes &&
                         read32(tail.last(kZipEndBytes + 20), 0) == kZip64Locator;
  if (has_zip64) {
    records_start -= kZip64EndBytes;
    const Bytes wide = tail.last(kZipEndBytes + kZip64EndBytes).first(kZip64EndBytes);
    const bool is_sound = read32(wide, 0) == kZip64End && read64(wide, 4) == 44 &&
                          read32(wide, 16) == 0 && read32(wide, 20) == 0 &&
                          read64(wide, 24) == read64(wide, 32) && read32(wide, 60) == 0 &&
                          read64(wide, 64) == records_start && read32(wide, 72) == 1;
    const ZipEnd narrow = found;
    found = {read64(wide, 48), read64(wide, 40), read64(wide, 32)};
    const bool agrees =
        (narrow.members == kSee64Short || narrow.members == found.members) &&
        (narrow.directory_bytes == kSee64 || narrow.directory_bytes == found.directory_bytes) &&
        (narrow.directory_offset == kSee64 || narrow.directory_offset == found.directory_offset);
    if (!is_sound || !agrees)
      return make_error(ErrorKind::Corrupt, "has damaged zip64 end records");
  } else if (is_split) {
    return make_error(ErrorKind::Corrupt, "is a part of a split archive");
  }
  if (found.directory_offset > records_start ||
      found.directory_bytes != records_start - found.directory_offset ||
      found.members > found.directory_bytes / kDirectoryRecordBytes) {
    return make_error(ErrorKind::Corrupt, "has a directory that is not where its end record says");
  }
  return found;
}

Result<std::vector<ZipMember>> parse_zip_directory(Bytes directory, const ZipEnd& end) {
  std::vector<ZipMember> members;
  members.reserve(end.members);
  while (!directory.empty()) {
    members.push_back(TRY(parse_record(directory)));
    TRY(check_sizes(members.back()));
  }
  if (members.size() != end.members) {
    return make_error(ErrorKind::Corrupt, "has {} members where its end record says {}",
                      members.size(), end.members);
  }
  std::sort(members.begin(), members.end(),
            [](const ZipMember& a, const ZipMember& b) { return a.offset < b.offset; });
  std::unordered_set<std::string_view> names;
  for (const ZipMember& member : members) {
    std::string_view name = member.name;
    if (name.ends_with('/')) name.remove_suffix(1);
    if (!names.insert(name).second) return member_error(member.name, "is there twice");
  }
  TRY(check_places(members, end.directory_offset));
  return members;
}

}  // namespace slipway::layer
