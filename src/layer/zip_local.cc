#include "layer/zip_bytes.h"
#include "layer/zip_directory.h"

namespace slipway::layer {
namespace {

// APPNOTE 4.3.7 and 4.3.9.
constexpr std::uint32_t kLocalRecord = 0x04034b50, kDescriptor = 0x08074b50, kSee64 = 0xffffffff;

Error differs(std::string_view what) {
  return make_error(ErrorKind::Corrupt, "has {} in its local header than in the directory", what);
}

/// The sizes of a local header, from its zip64 field where they point there (both must be there
/// then, 4.5.3: uncompressed first).
bool read_sizes(Bytes header, std::size_t extra_at, std::uint64_t& compressed,
                std::uint64_t& size) {
  compressed = read32(header, 18);
  size = read32(header, 22);
  if (compressed != kSee64 && size != kSee64) return true;
  for (Bytes extra = header.subspan(extra_at); extra.size() >= 4;) {
    const std::size_t length = read16(extra, 2);
    if (extra.size() < 4 + length) return false;
    if (read16(extra, 0) == 1) {
      std::size_t at = 4;
      for (std::uint64_t* value : {&size, &compressed}) {
        if (*value != kSee64) continue;
        if (at + 8 > 4 + length) return false;
        *value = read64(extra, at);
        at += 8;
      }
      return true;
    }
    extra = extra.subspan(4 + length);
  }
  return false;
}

}  // namespace

Result<ZipLocal> parse_zip_local(Bytes header) {
  if (header.size() < kZipLocalBytes || read32(header, 0) != kLocalRecord) {
    return make_error(ErrorKind::Corrupt, "has no local header");
  }
  return ZipLocal{read16(header, 26), read16(header, 28)};
}

Result<void> check_zip_local(Bytes header, const ZipMember& member) {
  const ZipLocal local = TRY(parse_zip_local(header));
  SLIPWAY_CHECK(header.size() == kZipLocalBytes + local.name_bytes + local.extra_bytes);
  if (as_text(header.subspan(kZipLocalBytes, local.name_bytes)) != member.name) {
    return differs("another name");
  }
  // The bits for how hard deflate tried (1, 2) carry no meaning.
  if (((read16(header, 6) ^ member.flags) & ~6) != 0) return differs("other flags");
  if (read16(header, 8) != static_cast<std::uint16_t>(member.method)) {
    return differs("another method");
  }
  std::uint64_t compressed = 0, size = 0;
  if (!read_sizes(header, kZipLocalBytes + local.name_bytes, compressed, size)) {
    return differs("no sizes, but others");
  }
  const std::uint32_t crc32 = read32(header, 14);
  const auto agrees = [&](std::uint64_t here, std::uint64_t there) {
    return here == there || (member.has_descriptor() && here == 0);
  };
  if (!agrees(compressed, member.compressed_bytes) || !agrees(size, member.size_bytes)) {
    return differs("other sizes");
  }
  if (!agrees(crc32, member.crc32)) return differs("another CRC");
  return {};
}

Result<void> check_zip_descriptor(Bytes descriptor, const ZipMember& member) {
  const auto agrees = [&](Bytes rest) {  // CRC, then two sizes of 4 or of 8 bytes
    if (read32(rest, 0) != member.crc32) return false;
    if (rest.size() == 12) {
      return read32(rest, 4) == member.compressed_bytes && read32(rest, 8) == member.size_bytes;
    }
    return read64(rest, 4) == member.compressed_bytes && read64(rest, 12) == member.size_bytes;
  };
  const std::size_t size = descriptor.size();
  if (!member.has_descriptor() && size == 0) return {};
  if (member.has_descriptor()) {
    const bool is_marked = (size == 16 || size == 24) && read32(descriptor, 0) == kDescriptor;
    if (is_marked && agrees(descriptor.subspan(4))) return {};
    if ((size == 12 || size == 20) && agrees(descriptor)) return {};
    return make_error(ErrorKind::Corrupt,
                      "has a data descriptor that disagrees with the directory");
  }
  return make_error(ErrorKind::Corrupt, "is followed by {} bytes that belong to no member", size);
}

}  // namespace slipway::layer
