/// Makes wheels for tests, byte for byte the same everywhere, honest or lying.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "layer/wheel_layer.h"

namespace slipway::layer::testing {

enum class Descriptor { None, Short, Marked, Wide, WideMarked };  ///< 12, 16, 20, 24 bytes

struct MadeMember {
  std::string name;
  std::string text;
  unsigned unix_mode = 0100644;
  std::uint16_t method = 8;
  std::uint16_t flags = 0;
  Descriptor descriptor = Descriptor::None;
  bool zip64 = false;  ///< sizes and offset in the zip64 field
  std::string extra;   ///< of the local header

  // Lies: what stands in the place of the truth.
  std::optional<std::string> raw;  ///< the stream
  std::optional<std::uint32_t> crc32;
  std::optional<std::uint64_t> size_bytes, compressed_bytes, offset;
  std::optional<std::string> local_name;
  std::optional<std::uint32_t> local_crc32, local_size, local_compressed;
  std::optional<std::uint16_t> local_method, local_flags;
  std::optional<std::uint32_t> descriptor_crc32;
};

struct MadeZip {
  std::vector<MadeMember> members;
  std::string between;  ///< bytes before the last member that belong to none
  std::string before, after, comment;
  bool zip64 = false;  ///< zip64 end records
  std::optional<std::uint16_t> count;
};

std::string make_zip(const MadeZip& zip);

/// The members, then METADATA, WHEEL, entry_points.txt (if not empty) and a RECORD of all of them.
MadeZip make_wheel(std::string_view name, std::string_view version, std::vector<MadeMember> members,
                   std::string_view entry_points = {});

/// Writes `<folder>/<name>-<version>-py3-none-any.whl`.
WheelInput write_wheel(const std::string& folder, std::string_view name, std::string_view version,
                       const std::string& bytes);

/// Bytes that look like text and repeat, but not too much.
std::string made_text(unsigned seed, std::size_t size);

}  // namespace slipway::layer::testing
