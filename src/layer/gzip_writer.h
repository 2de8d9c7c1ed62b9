/// A gzip file of several members (RFC 1952): what we encode, and deflate streams copied from
/// elsewhere, in turns.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/io.h"
#include "layer/deflate_encoder.h"

namespace slipway::layer {

class GzipWriter {
 public:
  /// Borrows `out`.
  explicit GzipWriter(Sink& out) : out_(out) {}

  /// Plain bytes, into the member that is open, else into a new one.
  Result<void> encode(Bytes plain);

  /// A member of its own: `begin_copy`, the raw deflate stream in any number of pieces, `end_copy`.
  Result<void> begin_copy();
  Result<void> copy(Bytes raw) { return write(raw); }
  Result<void> end_copy(std::uint32_t crc32, std::uint64_t plain_bytes);

  Result<void> finish();

 private:
  Result<void> close_member();
  Result<void> write(Bytes bytes);
  Result<void> flush();
  void put_header();
  void put_trailer(std::uint32_t crc32, std::uint64_t plain_bytes);

  Sink& out_;
  DeflateEncoder encoder_;
  std::string pending_;  ///< written and not yet given to `out_`
  bool is_open_ = false;
  std::uint32_t crc_ = 0;
  std::uint64_t plain_bytes_ = 0;
};

}  // namespace slipway::layer
