/// What a blob has in common with another one, as their tables of contents (stargz_index.h) tell.
///
/// A layer of packages of which one has changed is, but for that one's files, the same bytes at
/// other places. Each file's contents begin a member of their own, so whatever stands from there to
/// the next file's contents (padding, the headers between) depends on these two files alone.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::lazy {

struct Table {
  std::string_view text;
  std::uint64_t toc_offset = 0;  ///< where the last piece ends
};

struct SharedPiece {
  std::uint64_t offset = 0, size_bytes = 0;
  std::uint64_t other_offset = 0;
  bool operator==(const SharedPiece&) const = default;
};

/// Pieces of the blob with the table `wanted` that the blob with the table `there` has too: in
/// order, none touching the next in both. A promise of the tables, not of the bytes: what is put
/// together so has to be held against its digest. Fails with Corrupt for a table that makes no
/// sense. Pure.
Result<std::vector<SharedPiece>> find_shared_pieces(const Table& wanted, const Table& there);

}  // namespace slipway::lazy
