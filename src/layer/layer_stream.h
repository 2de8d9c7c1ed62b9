/// A layer being written: its tar goes to the diff_id's hash, its gzip form to the blob's.
#pragma once

#include <cstdint>

#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "layer/gzip_writer.h"
#include "layer/layout.h"
#include "layer/tar_header.h"

namespace slipway::layer {

/// Whether the tar's bytes are at hand to be hashed; copying alone does not have them.
enum class HashTar { No, Yes };

class LayerStream {
 public:
  /// Borrows `blob`, which may be null: then it is only hashed.
  LayerStream(Sink* blob, HashTar hash_tar)
      : blob_(blob), gzip_(blob_), hash_tar_(hash_tar == HashTar::Yes) {}

  /// Before the contents of a file. `entry.size_bytes` bytes of contents must follow.
  Result<void> header(const TarEntry& entry);
  /// Contents that are encoded here.
  Result<void> contents(Bytes plain);

  /// Contents whose deflate stream is copied: between `begin_copy` and `end_copy` the raw bytes,
  /// and the plain ones too where the tar is hashed.
  Result<void> begin_copy() { return gzip_.begin_copy(); }
  Result<void> copy_raw(Bytes raw) { return gzip_.copy(raw); }
  void copy_plain(Bytes plain) { tar_.update(plain); }
  Result<void> end_copy(std::uint32_t crc32, std::uint64_t size_bytes) {
    return gzip_.end_copy(crc32, size_bytes);
  }

  /// Ends the tar. `diff_id` means nothing where the tar was not hashed.
  Result<LayerFacts> finish();

 private:
  Result<void> encode(Bytes plain);

  HashingSink blob_;
  GzipWriter gzip_;
  Sha256 tar_;
  bool hash_tar_;
  std::size_t padding_ = 0;  ///< that the last file still needs
  std::uint64_t unpacked_bytes_ = 0;
};

}  // namespace slipway::layer
