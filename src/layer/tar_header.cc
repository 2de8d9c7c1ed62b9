#include "layer/tar_header.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "layer/layout.h"

namespace slipway::layer {
namespace {

constexpr std::uint64_t kMostSize = 077777777777;  // 11 octal digits
constexpr std::uint32_t kMostId = 07777777;
constexpr std::size_t kNameBytes = 100, kPrefixBytes = 155;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<signed char>(c) >= 0; });
}

/// Where ustar may cut a path into prefix and name; npos where it cannot hold it.
std::size_t find_cut(std::string_view path) {
  if (!is_ascii(path)) return std::string_view::npos;
  if (path.size() <= kNameBytes) return 0;
  const std::size_t slash = path.rfind('/', kPrefixBytes);
  if (slash == std::string_view::npos || slash == 0) return std::string_view::npos;
  const std::size_t rest = path.size() - slash - 1;
  return rest > 0 && rest <= kNameBytes ? slash : std::string_view::npos;
}

/// One record of an extended header: its own length in decimal counts itself.
std::string make_record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest;
  while (std::to_string(length).size() + rest != length)
    length = std::to_string(length).size() + rest;
  return fmt::format("{} {}={}\n", length, key, value);
}

struct Block {
  std::string bytes = std::string(kTarBlock, '\0');

  void put(std::size_t at, std::size_t most, std::string_view text) {
    SLIPWAY_CHECK(text.size() <= most);
    bytes.replace(at, text.size(), text);
  }
  void put_octal(std::size_t at, std::size_t digits, std::uint64_t value) {
    put(at, digits, fmt::format("{:0{}o}", value, digits));
  }
  void put_checksum() {
    put(148, 8, "        ");
    unsigned sum = 0;
    for (const char c : bytes) sum += static_cast<unsigned char>(c);
    put_octal(148, 6, sum);
    bytes[154] = '\0';
  }
};

std::string make_block(const TarEntry& entry, char type, std::size_t cut) {
  Block block;
  if (cut > 0 && cut != std::string_view::npos) {
    block.put(345, kPrefixBytes, entry.path.substr(0, cut));
    block.put(0, kNameBytes, entry.path.substr(cut + 1));
  } else {
    block.put(0, kNameBytes, entry.path.substr(0, kNameBytes));
  }
  block.put_octal(100, 7, entry.mode & 07777);
  block.put_octal(108, 7, std::min(entry.uid, kMostId));
  block.put_octal(116, 7, std::min(entry.gid, kMostId));
  block.put_octal(124, 11, std::min(entry.size_bytes, kMostSize));
  block.put_octal(136, 11, static_cast<std::uint64_t>(kLayerTime));
  block.bytes[156] = type;
  block.put(157, kNameBytes, entry.target.substr(0, kNameBytes));
  block.put(257, 8, std::string_view("ustar\00000", 8));
  block.put_octal(329, 7, 0);
  block.put_octal(337, 7, 0);
  block.put_checksum();
  return std::move(block.bytes);
}

}  // namespace

std::string make_tar_header(const TarEntry& entry) {
  // Folders end in a slash, as every tar program writes them.
  const std::string path = std::string(entry.path) + (entry.type == TarType::Folder ? "/" : "");
  const std::size_t cut = find_cut(path);
  std::string records;
  if (entry.gid > kMostId) records += make_record("gid", std::to_string(entry.gid));
  if (entry.target.size() > kNameBytes || !is_ascii(entry.target)) {
    records += make_record("linkpath", entry.target);
  }
  if (cut == std::string_view::npos) records += make_record("path", path);
  if (entry.size_bytes > kMostSize)
    records += make_record("size", std::to_string(entry.size_bytes));
  if (entry.uid > kMostId) records += make_record("uid", std::to_string(entry.uid));

  std::string headers;
  if (!records.empty()) {
    const TarEntry extended{"PaxHeader", TarType::File, 0644, 0, 0, records.size(), {}};
    headers = make_block(extended, 'x', 0);
    headers += records;
    headers.append(tar_padding(records.size()), '\0');
  }
  TarEntry named = entry;
  named.path = path;
  return headers + make_block(named, static_cast<char>(entry.type), cut);
}

}  // namespace slipway::layer
