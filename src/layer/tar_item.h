/// What an entry of a tar says, as its reader understood it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace slipway::layer {

struct TarItem {
  enum class Kind { File, HardLink, Link, Folder, Fifo, Device, Other };
  Kind kind = Kind::Other;
  std::string path;    ///< `usr/lib/x`: no empty, `.` or `..` part; empty for the root itself
  std::string target;  ///< of links: as it stands; of hard links as `path`
  std::uint64_t size_bytes = 0;
  unsigned mode = 0;  ///< permission bits, with set-id and sticky bits
  std::uint32_t uid = 0, gid = 0;
  std::int64_t time_seconds = 0;  ///< of the last change
  std::uint32_t time_nanoseconds = 0;
  std::map<std::string, std::string> attributes;  ///< extended ones
};

}  // namespace slipway::layer
