/// A layer's blob written anew with other bytes at some places of its tar (layer_edits.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "layer/edited_toc.h"
#include "layer/gzip_writer.h"
#include "layer/layer_edits.h"

namespace slipway::layer {

/// A range of the tar and what takes its place: as many zeros, `bytes`, those of an open file, or
/// the table of contents, which is known when all before it is written.
struct TarEdit {
  std::uint64_t begin = 0, end = 0;
  bool is_hole = false, is_toc = false;
  std::string bytes = {};
  const std::byte* moved = nullptr;

  Bytes text() const {
    return moved != nullptr ? Bytes(moved, static_cast<std::size_t>(end - begin)) : as_bytes(bytes);
  }
};

/// Takes the parts of the old blob one after another: `begin_part`, then either `edit` with its
/// plain bytes, in pieces, or `pass` with them and `copy_member` with it as it is compressed.
class BlobEditor {
 public:
  /// Borrows all. `edits` rise and lie apart; one of them is the table's, where there is one.
  BlobEditor(const std::vector<TarEdit>& edits, const std::optional<EditedToc>& toc, Sink& out)
      : edits_(edits), old_toc_(toc), blob_(&out), gzip_(blob_) {}

  /// A member of the old blob stays one: what is in it is found by where it begins.
  Result<void> begin_part(const LayerPart& part);
  bool touches(const ByteRange& part) const;

  /// Spoils `plain`.
  Result<void> edit(std::span<std::byte> plain);
  void pass(Bytes plain);
  Result<void> copy_member(Bytes raw);

  /// `unpacked_bytes` is for the caller to fill in.
  Result<LayerFacts> finish();

 private:
  Result<void> emit(Bytes bytes);
  Result<void> emit_all(Bytes bytes);
  Result<void> emit_toc();

  const std::vector<TarEdit>& edits_;
  const std::optional<EditedToc>& old_toc_;
  std::map<std::uint64_t, std::uint64_t> offsets_;  ///< of members: in the old blob, in the new one
  std::uint64_t last_offset_ = 0, toc_offset_ = 0;
  std::optional<Digest> toc_;
  std::size_t next_ = 0;
  std::uint64_t position_ = 0;  ///< in the old tar
  HashingSink blob_;
  GzipWriter gzip_;
  Sha256 tar_;
  std::uint64_t tar_bytes_ = 0;
};

}  // namespace slipway::layer
