/// The headers of a tar file (POSIX.1-2017, pax: ustar with extended headers). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::layer {

inline constexpr std::size_t kTarBlock = 512;
inline constexpr std::size_t kTarEndBytes = 2 * kTarBlock;

enum class TarType : char { File = '0', HardLink = '1', Link = '2', Folder = '5' };

struct TarEntry {
  std::string_view path;  ///< without slashes at either end
  TarType type = TarType::File;
  unsigned mode = 0644;
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t size_bytes = 0;
  std::string_view target;  ///< of links
};

/// One ustar block, and before it an extended header where ustar cannot hold the path, the target,
/// the size or an id. The time is kLayerTime, user and group have no names.
std::string make_tar_header(const TarEntry& entry);

/// How many zeros follow contents of that size.
constexpr std::size_t tar_padding(std::uint64_t size_bytes) {
  return static_cast<std::size_t>((kTarBlock - size_bytes % kTarBlock) % kTarBlock);
}

}  // namespace slipway::layer
