/// A layer being written: its tar goes to the diff_id's hash, its gzip form to the blob's, and what
/// lies where into the table of contents at its end (stargz_toc.h).
#pragma once

#include <cstdint>

#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "layer/gzip_writer.h"
#include "layer/layout.h"
#include "layer/stargz_toc.h"
#include "layer/tar_header.h"

namespace slipway::layer {

/// Whether the tar's bytes are at hand to be hashed; copying alone does not have them.
enum class HashTar { No, Yes };

class LayerStream {
 public:
  /// Borrows `blob`, which may be null: then it is only hashed.
  LayerStream(Sink* blob, HashTar hash_tar)
      : blob_(blob), gzip_(blob_), hash_tar_(hash_tar == HashTar::Yes) {}

  /// What is no file.
  Result<void> add(const TarEntry& entry);

  /// A file: `begin_file`, its `entry.size_bytes` bytes of contents, `end_file`. The entry's texts
  /// must stay until the end.
  Result<void> begin_file(const TarEntry& entry);
  /// Contents that are encoded here.
  Result<void> contents(Bytes plain);
  /// Contents whose deflate stream is copied, in place of `contents`: between `begin_copy` and
  /// `end_copy` the raw bytes, which `raw_hash` takes too, and the plain ones where they are at
  /// hand.
  Result<void> begin_copy();
  Result<void> copy_raw(Bytes raw, Sha256& raw_hash) { return gzip_.copy(raw, raw_hash); }
  void copy_plain(Bytes plain);
  Result<void> end_copy(std::uint32_t crc32) { return gzip_.end_copy(crc32, file_.size_bytes); }
  /// `known` is the sha256 of contents whose plain bytes did not come by. Returns that of any.
  Digest end_file(const Digest* known = nullptr);

  /// Ends the tar. `diff_id` means nothing where the tar was not hashed.
  Result<LayerFacts> finish();

 private:
  Result<void> header(const TarEntry& entry);
  Result<void> encode(Bytes plain);
  Result<void> add_small_file(std::string_view path, Bytes contents);

  HashingSink blob_;
  GzipWriter gzip_;
  StargzToc toc_;
  bool hash_tar_;
  Sha256 tar_;
  std::uint64_t tar_bytes_ = 0;
  std::size_t padding_ = 0;  ///< that the last file still needs
  std::uint64_t unpacked_bytes_ = 0;
  TarEntry file_;  ///< the one that is being written
  std::uint64_t file_offset_ = 0;
  Sha256 file_hash_;
};

}  // namespace slipway::layer
