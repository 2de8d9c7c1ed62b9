#include "layer/tar_stream.h"

#include <algorithm>
#include <vector>

namespace slipway::layer {
namespace {

constexpr std::uint64_t kMostSpecialBytes = 1 << 20;
constexpr int kMostSpecials = 16;  ///< in front of one entry
constexpr std::size_t kMostPathBytes = 4095, kMostNameBytes = 255;

Error corrupt(std::string_view why) { return make_error(ErrorKind::Corrupt, "{}", why); }

std::size_t padding_of(std::uint64_t size) {
  return static_cast<std::size_t>((kTarBlockBytes - size % kTarBlockBytes) % kTarBlockBytes);
}

Result<std::string> checked_path(std::string_view text, std::string_view what) {
  auto path = clean_tar_path(text);
  if (!path) return corrupt(fmt::format("has {} that leads outside, `{}`", what, text));
  bool is_long = path->size() > kMostPathBytes;
  for (std::size_t begin = 0; begin < path->size() && !is_long;) {
    const std::size_t end = std::min(path->find('/', begin), path->size());
    is_long = end - begin > kMostNameBytes;
    begin = end + 1;
  }
  if (is_long) return corrupt(fmt::format("has {} that is too long", what));
  return std::move(*path);
}

/// Before POSIX, folders were files whose names end in a slash. Only the whole name tells: what a
/// header has room for of a long one may end so by chance.
void tell_folders(TarItem& item) {
  if (item.kind != TarItem::Kind::File || !item.path.ends_with('/')) return;
  item.kind = TarItem::Kind::Folder;
  item.size_bytes = 0;
}

Result<void> clean(TarItem& item) {
  item.path = TRY(checked_path(item.path, "a path"));
  if (item.kind == TarItem::Kind::HardLink) {
    item.target = TRY(checked_path(item.target, "a hard link"));
  }
  if (item.kind == TarItem::Kind::Link && item.target.size() > kMostPathBytes) {
    return corrupt(fmt::format("has a link that is too long, `{}`", item.path));
  }
  return {};
}

/// GNU's long names end in a NUL.
std::string until_nul(std::string text) {
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

}  // namespace

Result<std::size_t> TarStream::read(std::span<std::byte> buffer) {
  if (left_bytes_ == 0 || buffer.empty()) return std::size_t{0};
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(left_bytes_, buffer.size()));
  const std::size_t got = TRY(plain_.read(buffer.first(most)));
  if (got == 0) return corrupt("is cut short");
  left_bytes_ -= got;
  return got;
}

Result<void> TarStream::fill(std::span<std::byte> buffer) {
  while (!buffer.empty()) {
    const std::size_t got = TRY(plain_.read(buffer));
    if (got == 0) return corrupt("is cut short");
    buffer = buffer.subspan(got);
  }
  return {};
}

Result<void> TarStream::skip(std::uint64_t count) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(count, 1 << 16)));
  while (count > 0) {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(count, buffer.size()));
    TRY(fill(std::span(buffer).first(most)));
    count -= most;
  }
  return {};
}

Result<std::optional<TarBlock>> TarStream::next_block() {
  TRY(skip(std::exchange(left_bytes_, 0)));
  TRY(skip(std::exchange(padding_bytes_, 0)));
  std::array<std::byte, kTarBlockBytes> block;
  const std::size_t got = TRY(plain_.read(std::span(block)));
  if (got == 0) return std::optional<TarBlock>();  // some programs write no end
  TRY(fill(std::span(block).subspan(got)));
  auto parsed = TRY(parse_tar_block(block));
  if (!parsed) return parsed;
  left_bytes_ = parsed->item.size_bytes;
  padding_bytes_ = padding_of(left_bytes_);
  return parsed;
}

Result<std::string> TarStream::read_special(const TarBlock& block) {
  if (block.item.size_bytes > kMostSpecialBytes) {
    return corrupt("has a name or attributes of more than a megabyte");
  }
  std::string text(static_cast<std::size_t>(block.item.size_bytes), '\0');
  TRY(fill(std::as_writable_bytes(std::span(text))));
  left_bytes_ = 0;
  return text;
}

Result<std::optional<TarItem>> TarStream::next() {
  PaxRecords records;
  std::string special;
  std::optional<std::string> long_path, long_target;
  for (int specials = 0; specials <= kMostSpecials; ++specials) {
    auto block = TRY(next_block());
    const bool is_started = !records.empty() || long_path || long_target;
    if (!block && is_started) return corrupt("ends behind a name without its file");
    if (!block) return std::optional<TarItem>();
    switch (block->type) {
      case 'x':
        special = TRY(read_special(*block));
        records = TRY(parse_pax(special));
        continue;
      case 'g':  // like every engine: what it says of all entries is not taken
        TRY(read_special(*block));
        continue;
      case 'L':
        special = TRY(read_special(*block));
        long_path = until_nul(special);
        continue;
      case 'K':
        special = TRY(read_special(*block));
        long_target = until_nul(special);
        continue;
      default:
        break;
    }
    TarItem item = std::move(block->item);
    if (long_path) item.path = std::move(*long_path);
    if (long_target) item.target = std::move(*long_target);
    TRY(apply_pax(records, item));
    tell_folders(item);
    left_bytes_ = item.size_bytes;
    padding_bytes_ = padding_of(left_bytes_);
    TRY(clean(item));
    return std::optional(std::move(item));
  }
  return corrupt("has too many headers in front of one file");
}

Result<void> TarStream::drain() {
  std::vector<std::byte> buffer(1 << 16);
  while (TRY(plain_.read(buffer)) > 0) {
  }
  return {};
}

}  // namespace slipway::layer
