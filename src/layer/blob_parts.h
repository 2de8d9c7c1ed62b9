/// A layer's blob as its plain bytes, in the parts in which it is compressed: the members of a gzip
/// file (RFC 1952), each of which may be copied as it is; of anything else one part, which may not.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/error.h"
#include "base/io.h"
#include "layer/decompress.h"

namespace slipway::layer {

class BlobParts {
 public:
  /// Borrows `blob`, which may be foreign.
  explicit BlobParts(Bytes blob);
  ~BlobParts();

  /// The first part, or the one behind the part that was read to its end. False: there is none.
  /// Fails with Corrupt ("is …", the end of a sentence about the layer).
  Result<bool> next();
  /// Plain bytes of the part; 0 is its end, and it was sound. Fails as Decompressed does.
  Result<std::size_t> read(std::span<std::byte> buffer);
  /// Of a part that was read to its end: its gzip member, header and trailer included. Empty: none.
  Bytes raw() const { return raw_; }
  bool is_gzip() const { return gzip_ != nullptr; }

 private:
  struct Gzip;
  Bytes blob_;
  Bytes raw_;
  std::unique_ptr<Gzip> gzip_;
  std::unique_ptr<BytesSource> source_;
  std::unique_ptr<Decompressed> other_;
  bool is_over_ = false;
};

}  // namespace slipway::layer
