/// A layer's table of contents from a registry, before anything else of the layer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/cancel.h"
#include "oci/manifest.h"
#include "plan/lazy_folder.h"
#include "registry/registry.h"

namespace slipway::plan {

/// The end of an eStargz layer's blob, at the latest from its table of contents on.
struct StargzTail {
  std::uint64_t begin = 0;  ///< in the blob
  std::string bytes;
  std::uint64_t toc_offset = 0;
  std::string table;  ///< its text
};
/// `bytes` of a blob from `first` on.
using ReadRange = std::function<Result<std::string>(std::uint64_t first, std::uint64_t bytes)>;
/// `guess` bytes first, and the rest where the table is larger. `toc` is the table's digest. Fails
/// with Unsupported where there is none, or it is larger than any real one; Corrupt; and as `read`.
Result<StargzTail> read_stargz_tail(const oci::Descriptor& layer, const Digest& toc,
                                    std::uint64_t guess, const ReadRange& read);

/// EStargz's or zstd:chunked's, whose digest the manifest names; it has been read once, so that
/// whatever is wrong with it shows now. Fails with Unsupported where the layer has to come whole:
/// it has no table, or none for us, or the registry ignores ranges. Corrupt, and as fetch_range.
Result<LazyFolder::Table> fetch_lazy_table(registry::Registry& registry,
                                           const std::string& repository,
                                           const oci::Descriptor& layer, const CancelToken& cancel);

}  // namespace slipway::plan
