/// What a layer says about one path, and where the contents are.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/digest.h"
#include "layer/tar_item.h"

namespace slipway::lazy {

/// In the blob of a layer.
struct Extent {
  std::uint64_t offset = 0;  ///< a gzip member begins here
  std::uint64_t end = 0;     ///< the contents need nothing from here on
  std::uint64_t skip = 0;    ///< unpacked bytes that stand before them
  Digest digest;             ///< of the contents
};

/// A file of this machine.
using HostPath = std::string;

struct Entry {
  layer::TarItem item;                                        ///< whiteouts as in a tar: `.wh.NAME`
  std::variant<std::monostate, Extent, HostPath> contents{};  ///< of a file that has some
};

}  // namespace slipway::lazy
