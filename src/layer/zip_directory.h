/// The directory of a zip file (APPNOTE 6.3), read strictly: what two readers could understand
/// differently is refused. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/io.h"

namespace slipway::layer {

enum class ZipMethod : std::uint16_t { Stored = 0, Deflate = 8 };

struct ZipMember {
  std::string name;
  ZipMethod method = ZipMethod::Stored;
  std::uint16_t flags = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t compressed_bytes = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t offset = 0;     ///< of its local header
  std::uint32_t unix_mode = 0;  ///< the upper half of the external attributes

  bool is_folder() const { return name.ends_with('/'); }
  bool has_descriptor() const { return (flags & 8) != 0; }
  /// As pip decides it: a regular file by its mode, with any x bit. A link is none.
  bool is_executable() const { return (unix_mode & 0170000) == 0100000 && (unix_mode & 0111) != 0; }
};

/// Where the directory lies, from the end of the file.
struct ZipEnd {
  std::uint64_t directory_offset = 0;
  std::uint64_t directory_bytes = 0;
  std::uint64_t members = 0;
};

inline constexpr std::size_t kZipEndBytes = 22;    ///< end of central directory, no comment
inline constexpr std::size_t kZip64EndBytes = 76;  ///< zip64 record and locator, before it
inline constexpr std::size_t kZipLocalBytes = 30;  ///< a local header, without name and extra field

/// `tail`: the last bytes of a file of `file_bytes`, at least min(file_bytes, 98) of them. The
/// directory must end where the end records begin. Fails with Corrupt (no name in the message).
Result<ZipEnd> parse_zip_end(Bytes tail, std::uint64_t file_bytes);

/// The members in the order of their offsets. Names are relative, have no `..`, `.` or empty part,
/// no backslash or control character, are UTF-8, not too long or deep, and differ; members are
/// stored or deflated, do not overlap, and what they claim to unpack to is possible for deflate and
/// within reason. Fails with Corrupt, naming the member.
Result<std::vector<ZipMember>> parse_zip_directory(Bytes directory, const ZipEnd& end);

/// What follows a local header's 30 bytes.
struct ZipLocal {
  std::size_t name_bytes = 0, extra_bytes = 0;
};

Result<ZipLocal> parse_zip_local(Bytes header);
/// Does the local header (with name and extra field) say what the directory says? Fails with
/// Corrupt, as the end of a sentence about the member.
Result<void> check_zip_local(Bytes header, const ZipMember& member);
/// The same for what stands behind the data: nothing, or a data descriptor where the flags have
/// one.
Result<void> check_zip_descriptor(Bytes descriptor, const ZipMember& member);

/// For messages: control characters and what is no ASCII become `?`, long names are cut.
std::string shown_name(std::string_view name);

}  // namespace slipway::layer
