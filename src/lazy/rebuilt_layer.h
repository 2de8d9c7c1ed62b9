/// A layer's tar without all of its blob: some members have been unpacked before, and were
/// released.
///
/// Nothing of it is checked here but its size: the caller compares the diff_id.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/io.h"
#include "lazy/blob_pieces.h"
#include "lazy/entry.h"

namespace slipway::lazy {

/// What a part of a blob, of whole members, unpacks to: one file, and another one behind it.
struct UnpackedPart {
  std::uint64_t offset, end;  ///< in the blob
  std::string path, tail_path;
};

/// More than the tar of a layer with this table of contents can have.
std::uint64_t most_tar_bytes(const std::vector<Entry>& entries);

class RebuiltLayer final : public Source {
 public:
  /// Borrows the blob, of which everything outside the parts is there. Of more than `most_bytes`
  /// it is Corrupt: a blob whose digest nobody can compare must not fill the disk.
  RebuiltLayer(const BlobPieces& blob, std::vector<UnpackedPart> parts, std::uint64_t most_bytes);

  Result<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  Result<bool> begin_next();

  const BlobPieces& blob_;
  std::vector<UnpackedPart> parts_;
  std::size_t next_part_ = 0;
  std::uint64_t at_ = 0;  ///< in the blob: what has been read
  std::uint64_t left_bytes_;
  std::unique_ptr<Source> section_;
};

}  // namespace slipway::lazy
