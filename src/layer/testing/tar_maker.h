/// Tars by hand, sound and unsound ones: for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::layer::testing {

struct RawEntry {
  std::string path;
  char type = '0';
  std::string contents{};
  std::string target{};
  unsigned mode = 0644;
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t time = 1'000'000'000;
  std::string size_field{};  ///< in place of the true one
};

/// A header with its checksum, the contents and their padding.
std::string raw_entry(const RawEntry& entry);
/// A pax header for what follows: `key=value` records.
std::string raw_pax(std::initializer_list<std::pair<std::string, std::string>> records);
std::string tar_end();

std::string gzip(std::string_view plain);  ///< one member
std::string zstd(std::string_view plain);  ///< one frame
/// The plain bytes of a layer, however it is compressed. It must be sound.
std::string unpack(std::string_view blob);

}  // namespace slipway::layer::testing
