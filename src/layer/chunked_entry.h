/// What a zstd:chunked table (layer/chunked_toc.h) has to say of one entry of a tar.
///
/// containers/storage reads the headers of the tar once more, with Go's tar reader, and refuses the
/// layer where they say anything else than the table. So all is told here as that reader sees it,
/// and an entry that it and we might see differently is not told at all. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "layer/tar_item.h"

namespace slipway::layer {

struct ChunkedEntry {
  std::string type;          ///< reg, dir, symlink, hardlink, char, block or fifo
  std::string name, target;  ///< as they stand in the tar: `./usr/`
  std::uint64_t size_bytes = 0;
  std::uint64_t mode = 0, device_major = 0, device_minor = 0;  ///< as they stand in the tar
  std::uint32_t uid = 0, gid = 0;
  std::string modified, accessed, changed;        ///< RFC 3339; empty where not told
  std::map<std::string, std::string> attributes;  ///< extended ones, in base64
};

/// `headers` are all blocks between what is before this entry and its contents, and `item` is what
/// TarStream makes of them. Fails with Unsupported where it cannot be told.
Result<ChunkedEntry> describe_entry(std::string_view headers, const TarItem& item);

}  // namespace slipway::layer
