#include "layer/tar_header_parser.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace slipway::layer {
namespace {

Error corrupt(std::string_view why) { return make_error(ErrorKind::Corrupt, "{}", why); }

std::string_view text_field(std::string_view block, std::size_t at, std::size_t width) {
  const std::string_view field = block.substr(at, width);
  return field.substr(0, field.find('\0'));
}

Result<std::int64_t> number_field(std::string_view block, std::size_t at, std::size_t width) {
  return parse_tar_number(block.substr(at, width));
}

Result<std::uint32_t> id_of(Result<std::int64_t> read) {
  const std::int64_t number = TRY(std::move(read));
  if (number < 0 || number >= std::numeric_limits<std::uint32_t>::max()) {
    return corrupt("has a user or group that cannot be");
  }
  return static_cast<std::uint32_t>(number);
}

/// Both sums are in use: of unsigned bytes, and of signed ones by some programs of old.
Result<void> check_sum(std::string_view block) {
  constexpr std::size_t kAt = 148, kWidth = 8;
  std::int64_t plain = 0, with_sign = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const char c = i >= kAt && i < kAt + kWidth ? ' ' : block[i];
    plain += static_cast<unsigned char>(c);
    with_sign += static_cast<signed char>(c);
  }
  const std::int64_t claimed = TRY(number_field(block, kAt, kWidth));
  if (claimed != plain && claimed != with_sign)
    return corrupt("has a header with a wrong checksum");
  return {};
}

Result<TarItem::Kind> kind_of(char type) {
  switch (type) {
    case '0':
    case '\0':
    case '7':
      return TarItem::Kind::File;
    case '1':
      return TarItem::Kind::HardLink;
    case '2':
      return TarItem::Kind::Link;
    case '3':
    case '4':
      return TarItem::Kind::Device;
    case '5':
      return TarItem::Kind::Folder;
    case '6':
      return TarItem::Kind::Fifo;
    case 'S':
      return make_error(ErrorKind::Unsupported, "has a sparse file, which is not read yet");
    case 'M':
      return make_error(ErrorKind::Unsupported, "goes on from another volume");
    default:
      return TarItem::Kind::Other;
  }
}

bool has_contents(TarItem::Kind kind) {
  return kind == TarItem::Kind::File || kind == TarItem::Kind::Other;
}

Result<std::int64_t> parse_decimal(std::string_view text) {
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return corrupt("has a pax record that is no number");
  }
  return value;
}

/// `-12.345`: seconds since 1970, rounded down to what a file system keeps.
Result<void> parse_time(std::string_view text, TarItem& item) {
  const bool is_negative = text.starts_with('-');
  const std::string_view digits = text.substr(is_negative ? 1 : 0);
  const std::size_t dot = std::min(digits.find('.'), digits.size());
  const std::int64_t seconds = TRY(parse_decimal(digits.substr(0, dot)));
  std::uint32_t nanoseconds = 0;
  std::uint32_t unit = 100'000'000;
  for (const char c : digits.substr(std::min(dot + 1, digits.size()))) {
    if (c < '0' || c > '9') return corrupt("has a pax record that is no time");
    nanoseconds += unit * static_cast<std::uint32_t>(c - '0');
    unit /= 10;
  }
  item.time_seconds = is_negative ? -seconds : seconds;
  item.time_nanoseconds = nanoseconds;
  if (is_negative && nanoseconds > 0) {
    item.time_seconds -= 1;
    item.time_nanoseconds = 1'000'000'000 - nanoseconds;
  }
  return {};
}

}  // namespace

Result<std::int64_t> parse_tar_number(std::string_view field) {
  const auto first = static_cast<unsigned char>(field[0]);
  if ((first & 0x80U) != 0) {
    const bool is_negative = (first & 0x40U) != 0;
    std::uint64_t value = is_negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = 0; i < field.size(); ++i) {
      const auto byte =
          static_cast<unsigned char>(i == 0 && !is_negative ? first & 0x7fU : field[i]);
      if (value >> 55U != (is_negative ? 0x1ffU : 0U))
        return corrupt("has a number that does not fit");
      value = value << 8U | byte;
    }
    return static_cast<std::int64_t>(value);
  }
  std::uint64_t value = 0;
  bool is_over = false;
  for (const char c : field) {
    if (c == ' ' || c == '\0') {
      is_over = value > 0;
      continue;
    }
    if (c < '0' || c > '7' || is_over) return corrupt("has a number that is none");
    if (value >> 60U != 0) return corrupt("has a number that does not fit");
    value = value << 3U | static_cast<std::uint64_t>(c - '0');
  }
  return static_cast<std::int64_t>(value);
}

Result<std::optional<TarBlock>> parse_tar_block(Bytes bytes) {
  const std::string_view block = as_text(bytes);
  SLIPWAY_CHECK(block.size() == kTarBlockBytes);
  if (block.find_first_not_of('\0') == std::string_view::npos) return std::optional<TarBlock>();
  TRY(check_sum(block));
  TarBlock result;
  TarItem& item = result.item;
  result.type = block[156];
  item.path = text_field(block, 0, 100);
  // Behind GNU's magic ("ustar  ") stand times in place of a prefix.
  const std::string_view prefix = text_field(block, 345, 155);
  const bool is_posix = block.substr(257, 6) == std::string_view("ustar\0", 6);
  if (is_posix && !prefix.empty()) item.path = fmt::format("{}/{}", prefix, item.path);
  item.target = text_field(block, 157, 100);
  item.kind = TRY(kind_of(result.type));
  item.mode = static_cast<unsigned>(TRY(number_field(block, 100, 8))) & 07777U;
  item.uid = TRY(id_of(number_field(block, 108, 8)));
  item.gid = TRY(id_of(number_field(block, 116, 8)));
  const std::int64_t size = TRY(number_field(block, 124, 12));
  if (size < 0) return corrupt("has an entry of a negative size");
  if (has_contents(item.kind)) item.size_bytes = static_cast<std::uint64_t>(size);
  item.time_seconds = TRY(number_field(block, 136, 12));
  return std::optional(std::move(result));
}

Result<PaxRecords> parse_pax(std::string_view text) {
  PaxRecords records;
  while (!text.empty()) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    const auto digits = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || digits == 0 || length > text.size() || length < digits + 3 ||
        text[digits] != ' ' || text[length - 1] != '\n') {
      return corrupt("has pax records that cannot be read");
    }
    const std::string_view record = text.substr(digits + 1, length - digits - 2);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return corrupt("has pax records that cannot be read");
    }
    records[std::string(record.substr(0, equals))] = record.substr(equals + 1);
    text.remove_prefix(length);
  }
  return records;
}

Result<void> apply_pax(const PaxRecords& records, TarItem& item) {
  constexpr std::string_view kAttribute = "SCHILY.xattr.";
  for (const auto& [key, value] : records) {
    if (key.starts_with("GNU.sparse.")) {
      return make_error(ErrorKind::Unsupported, "has a sparse file, which is not read yet");
    }
    if (key.starts_with(kAttribute) && key.size() > kAttribute.size()) {
      item.attributes[key.substr(kAttribute.size())] = value;
    }
    if (value.empty()) continue;  // takes back what a global header said; we take none of those
    const bool is_text = key == "path" || key == "linkpath";
    if (is_text && value.find('\0') != std::string::npos) return corrupt("has a path with a NUL");
    if (key == "path") item.path = value;
    if (key == "linkpath") item.target = value;
    if (key == "uid") item.uid = TRY(id_of(parse_decimal(value)));
    if (key == "gid") item.gid = TRY(id_of(parse_decimal(value)));
    if (key == "mtime") TRY(parse_time(value, item));
    if (key == "size" && has_contents(item.kind)) {
      item.size_bytes = static_cast<std::uint64_t>(TRY(parse_decimal(value)));
    }
  }
  return {};
}

std::optional<std::string> clean_tar_path(std::string_view text) {
  std::string path;
  while (!text.empty()) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const std::string_view part = text.substr(0, slash);
    text.remove_prefix(std::min(slash + 1, text.size()));
    if (part == "..") return std::nullopt;
    if (part.empty() || part == ".") continue;
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

}  // namespace slipway::layer
