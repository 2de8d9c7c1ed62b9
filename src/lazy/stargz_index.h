/// Reads the table of contents of an eStargz layer (stargz-snapshotter's docs/estargz.md), ours or
/// anybody's; layer/stargz_toc.h writes it, and zstd:chunked (chunked_index.h) has the same. Pure.
/// Failures are Corrupt, or Unsupported for what cannot be used file by file: then the layer has to
/// be taken whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "lazy/entry.h"

namespace slipway::lazy {

/// Where the table's gzip member begins, which goes up to the footer. `tail` is the end of the
/// blob.
Result<std::uint64_t> parse_stargz_footer(std::string_view tail, std::uint64_t blob_bytes);

/// The table's text out of its member; it must have that digest.
Result<std::string> unpack_stargz_index(std::string_view member, const Digest& expected);

/// What the image has: files of the archive's own are left out. `toc_offset` is where the last
/// file's extent ends.
Result<std::vector<Entry>> parse_stargz_index(std::string_view text, std::uint64_t toc_offset);

}  // namespace slipway::lazy
