/// Finds the table of contents of a zstd:chunked layer (layer/chunked_toc.h), ours or Podman's.
/// What it says is eStargz's, and parse_stargz_index reads it: a frame takes a member's place.
/// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/error.h"
#include "oci/manifest.h"

namespace slipway::lazy {

/// By the annotations of the layer's descriptor; nobody reads the footer.
struct ChunkedTable {
  std::uint64_t offset = 0, packed_bytes = 0, plain_bytes = 0;
  Digest digest;  ///< of what is packed
};
/// Fails with Unsupported where the layer has none, or of another kind, or one larger than any real
/// one: then it has to be taken whole. Corrupt where they make no sense.
Result<ChunkedTable> find_chunked_table(const oci::Descriptor& layer);

/// Its JSON, for parse_stargz_index. Fails with Corrupt where that is not what the manifest names.
Result<std::string> unpack_chunked_index(std::string_view packed, const ChunkedTable& table);

}  // namespace slipway::lazy
