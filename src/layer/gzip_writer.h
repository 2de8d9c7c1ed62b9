/// A gzip file of several members (RFC 1952): what we encode, and deflate streams copied from
/// elsewhere, in turns.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "layer/deflate_encoder.h"

namespace slipway::layer {

class GzipWriter {
 public:
  /// Borrows `out`.
  explicit GzipWriter(HashingSink& out) : out_(out) {}

  /// Plain bytes, into the member that is open, else into a new one.
  Result<void> encode(Bytes plain);

  /// Ends the open member, if any. Returns where in the file the next one begins.
  Result<std::uint64_t> end_member();

  /// A member of its own: `begin_copy`, the raw deflate stream in any number of pieces, `end_copy`.
  Result<void> begin_copy();
  /// Into `other` goes what is copied as well.
  Result<void> copy(Bytes raw, Sha256& other);
  Result<void> end_copy(std::uint32_t crc32, std::uint64_t plain_bytes);

  /// Members that were made elsewhere.
  Result<void> append(std::string_view members);

  Result<void> finish();

 private:
  Result<void> flush();
  void put_header();
  void put_trailer(std::uint32_t crc32, std::uint64_t plain_bytes);

  HashingSink& out_;
  DeflateEncoder encoder_;
  std::string pending_;  ///< written and not yet given to `out_`
  bool is_open_ = false;
  std::uint32_t crc_ = 0;
  std::uint64_t plain_bytes_ = 0;
};

}  // namespace slipway::layer
