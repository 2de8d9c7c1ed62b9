/// The blocks of a foreign tar: headers, and the records of pax. Pure.
///
/// POSIX ustar and pax, GNU's long names and base-256 numbers, and the tars from before POSIX.
/// Failures are Corrupt, or Unsupported for sparse files and archives of several volumes; each
/// message is the end of a sentence ("has a header whose checksum is wrong").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/io.h"
#include "layer/tar_item.h"

namespace slipway::layer {

inline constexpr std::size_t kTarBlockBytes = 512;

/// A header as it stands: `item.path` and `item.target` are not cleaned yet, and may be the
/// beginnings of longer ones.
struct TarBlock {
  char type = '0';
  TarItem item;
};

/// Nothing where the block is empty, as at the end of a tar.
Result<std::optional<TarBlock>> parse_tar_block(Bytes block);

/// Octal digits among spaces and NULs, or GNU's two's complement behind a set top bit.
Result<std::int64_t> parse_tar_number(std::string_view field);

/// `length key=value\n` records, the last of a key counting. A `value` may hold any byte.
using PaxRecords = std::map<std::string, std::string>;
Result<PaxRecords> parse_pax(std::string_view text);

/// What the records change of the entry behind them.
Result<void> apply_pax(const PaxRecords& records, TarItem& item);

/// Without `.`, empty parts and leading slashes; nothing where a part is `..`.
std::optional<std::string> clean_tar_path(std::string_view text);

}  // namespace slipway::layer
