/// The entries of fat binaries, container by container; fat_binary.h has the layout.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/error.h"
#include "base/io.h"
#include "gpu/compute_capability.h"

namespace slipway::gpu {

struct FatEntry {
  enum class Kind { Ptx, Sass, Other };
  Kind kind = Kind::Other;
  CodeTarget target;                 ///< of PTX and SASS
  int ptx_major = 0, ptx_minor = 0;  ///< of PTX: its ISA version
  std::uint64_t offset = 0;          ///< of its header, in the section
  std::uint64_t header_bytes = 0, payload_bytes = 0;
};

/// Its entries lie one behind the other and fill it.
struct FatContainerView {
  std::uint64_t offset = 0;  ///< in the section
  std::uint64_t header_bytes = 0, body_bytes = 0;
  std::span<const FatEntry> entries;
};

/// Where in a container's header its size stands: a u64, of what is behind the header.
inline constexpr std::uint64_t kFatSizeOffset = 8;

/// Calls `visit` for each container of a section, in their order. Every size is checked before it
/// is believed; Corrupt, with the offset, on one that lies, or what `visit` fails with.
Result<void> visit_fat_binaries(Bytes section,
                                const std::function<Result<void>(const FatContainerView&)>& visit);

}  // namespace slipway::gpu
