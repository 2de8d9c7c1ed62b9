#include "layer/chunked_entry.h"

#include "base/base64.h"
#include "base/utc_time.h"
#include "base/utf8.h"
#include "layer/tar_header_parser.h"

namespace slipway::layer {
namespace {

constexpr std::string_view kAttribute = "SCHILY.xattr.";

Error untold(std::string_view why, std::string_view path) {
  return make_error(ErrorKind::Unsupported, "{}, `{}`", why, path.empty() ? "." : path);
}

struct Headers {
  std::string_view block;
  PaxRecords records;
  std::string_view long_path, long_target;  ///< GNU's
};

std::string_view until_nul(std::string_view text) { return text.substr(0, text.find('\0')); }

Result<Headers> read_headers(std::string_view bytes, const std::string& path) {
  Headers headers;
  for (;;) {
    if (bytes.size() < kTarBlockBytes) return untold("has no header", path);
    headers.block = bytes.substr(0, kTarBlockBytes);
    bytes.remove_prefix(kTarBlockBytes);
    const auto parsed = TRY(parse_tar_block(as_bytes(headers.block)));
    const char type = parsed ? parsed->type : '\0';
    if (type != 'x' && type != 'L' && type != 'K') return headers;
    const std::string_view text = bytes.substr(0, parsed->item.size_bytes);
    bytes.remove_prefix(std::min(
        bytes.size(), (text.size() + kTarBlockBytes - 1) / kTarBlockBytes * kTarBlockBytes));
    if (type == 'x') headers.records = TRY(parse_pax(text));
    if (type == 'L') headers.long_path = until_nul(text);
    if (type == 'K') headers.long_target = until_nul(text);
  }
}

/// Which fields a header has. Others than these three are read differently by different programs.
enum class Format { Old, Posix, Gnu };

Result<Format> format_of(std::string_view block, const std::string& path) {
  using namespace std::string_view_literals;
  const std::string_view magic = block.substr(257, 8);
  const bool is_plain_behind = block.substr(345).find_first_not_of('\0') == std::string_view::npos;
  if (magic == "ustar\00000"sv && block.substr(508) != "tar\0"sv) return Format::Posix;
  if (magic == "ustar  \0"sv && is_plain_behind) return Format::Gnu;
  if (!magic.starts_with("ustar")) return Format::Old;
  return untold("has a header of a rare kind", path);
}

Result<std::string> type_of(char type, const TarItem& item) {
  using Kind = TarItem::Kind;
  if (type == '\0' && item.kind == Kind::Folder) return std::string("dir");
  if ((type == '0' || type == '\0') && item.kind == Kind::File) return std::string("reg");
  switch (type) {
    case '1':
      return std::string("hardlink");
    case '2':
      return std::string("symlink");
    case '3':
      return std::string("char");
    case '4':
      return std::string("block");
    case '5':
      return std::string("dir");
    case '6':
      return std::string("fifo");
    default:
      return untold("has an entry of a rare kind", item.path);
  }
}

Result<std::string> time_text(const TarItem& item) {
  constexpr std::int64_t kYear1 = -62'135'596'800, kYear10000 = 253'402'300'800;
  if (item.time_seconds <= kYear1 || item.time_seconds >= kYear10000) {
    return untold("has a time that RFC 3339 cannot tell", item.path);
  }
  std::string text = utc_time_text(UtcTime(std::chrono::seconds(item.time_seconds)));
  if (item.time_nanoseconds > 0) {
    text.insert(text.size() - 1, fmt::format(".{:09}", item.time_nanoseconds));
  }
  return text;
}

/// Of a pax record; empty where there is none.
Result<std::string> time_of(const PaxRecords& records, const std::string& key,
                            const std::string& path) {
  const auto found = records.find(key);
  if (found == records.end() || found->second.empty()) return std::string();
  TarItem item;
  item.path = path;
  TRY(apply_pax({{"mtime", found->second}}, item));
  return time_text(item);
}

Result<std::uint64_t> number_of(std::string_view block, std::size_t at, const std::string& path) {
  const auto number = parse_tar_number(block.substr(at, 8));
  if (!number.ok() || *number < 0) return untold("has a header with an odd number", path);
  return static_cast<std::uint64_t>(*number);
}

Result<std::map<std::string, std::string>> attributes_of(const PaxRecords& records,
                                                         const std::string& path) {
  std::map<std::string, std::string> attributes;
  for (const auto& [key, value] : records) {
    if (!key.starts_with(kAttribute)) continue;
    const std::string name = key.substr(kAttribute.size());
    if (name.empty() || !is_utf8(name)) return untold("has an attribute without a name", path);
    attributes[name] = encode_base64(value);
  }
  return attributes;
}

/// A size where there are no contents, or one of a pax record that changes nothing.
bool has_odd_size(const Headers& headers, const TarItem& item) {
  if (item.kind == TarItem::Kind::File) return false;
  const auto size = parse_tar_number(headers.block.substr(124, 12));
  return !size.ok() || *size != 0 || headers.records.contains("size");
}

/// As the last one that tells of it says.
Result<std::string> name_of(const Headers& headers, const TarItem& item) {
  const auto in_pax = headers.records.find("path");
  const bool is_in_pax = in_pax != headers.records.end() && !in_pax->second.empty();
  if (is_in_pax && !headers.long_path.empty()) return untold("has two long names", item.path);
  if (is_in_pax) return in_pax->second;
  if (!headers.long_path.empty()) return std::string(headers.long_path);
  return TRY(parse_tar_block(as_bytes(headers.block)))->item.path;
}

Result<std::string> target_of(const Headers& headers, const TarItem& item) {
  const auto in_pax = headers.records.find("linkpath");
  const bool is_in_pax = in_pax != headers.records.end() && !in_pax->second.empty();
  if (is_in_pax && !headers.long_target.empty()) return untold("has two long names", item.path);
  if (is_in_pax) return in_pax->second;
  if (!headers.long_target.empty()) return std::string(headers.long_target);
  return std::string(until_nul(headers.block.substr(157, 100)));
}

}  // namespace

Result<ChunkedEntry> describe_entry(std::string_view headers_bytes, const TarItem& item) {
  const Headers headers = TRY(read_headers(headers_bytes, item.path));
  const Format format = TRY(format_of(headers.block, item.path));
  ChunkedEntry entry;
  entry.type = TRY(type_of(headers.block[156], item));
  entry.name = TRY(name_of(headers, item));
  entry.target = TRY(target_of(headers, item));
  if (clean_tar_path(entry.name) != item.path) return untold("has a path of two kinds", item.path);
  if (!is_utf8(entry.name) || !is_utf8(entry.target)) {
    return untold("has a path that JSON cannot tell", item.path);
  }
  if (has_odd_size(headers, item)) return untold("has a size without contents", item.path);
  entry.size_bytes = item.size_bytes;
  entry.mode = TRY(number_of(headers.block, 100, item.path));
  if (format != Format::Old) {
    entry.device_major = TRY(number_of(headers.block, 329, item.path));
    entry.device_minor = TRY(number_of(headers.block, 337, item.path));
  }
  entry.uid = item.uid;
  entry.gid = item.gid;
  entry.modified = TRY(time_text(item));
  entry.accessed = TRY(time_of(headers.records, "atime", item.path));
  entry.changed = TRY(time_of(headers.records, "ctime", item.path));
  entry.attributes = TRY(attributes_of(headers.records, item.path));
  return entry;
}

}  // namespace slipway::layer
