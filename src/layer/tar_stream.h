/// A plain tar, read front to back.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/io.h"
#include "layer/tar_header_parser.h"
#include "layer/tar_item.h"

namespace slipway::layer {

/// A Source of the contents of the entry at which it stands. Memory stays small whatever the bytes
/// say: names and pax records of more than a megabyte are refused.
///
/// Fails with Corrupt (no tar, cut short, a path with `..`, a path or name that no system takes),
/// Unsupported (sparse files), or as the Source below does.
class TarStream final : public Source {
 public:
  /// Borrows `plain`.
  explicit TarStream(Source& plain) : plain_(plain) {}

  /// The next entry; what was not read of the last one's contents is passed over. Nothing at the
  /// end, which is two empty blocks or the end of the bytes.
  Result<std::optional<TarItem>> next();
  Result<std::size_t> read(std::span<std::byte> buffer) override;
  /// Reads what stands behind the end of the tar, so that `plain` has seen every byte.
  Result<void> drain();

 private:
  Result<std::optional<TarBlock>> next_block();
  Result<std::string> read_special(const TarBlock& block);
  Result<void> fill(std::span<std::byte> buffer);
  Result<void> skip(std::uint64_t count);

  Source& plain_;
  std::uint64_t left_bytes_ = 0;  ///< of the contents
  std::size_t padding_bytes_ = 0;
};

}  // namespace slipway::layer
