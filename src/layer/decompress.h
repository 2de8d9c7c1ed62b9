/// Foreign layers and archives as plain bytes, whatever compresses them.
#pragma once

#include <cstdint>
#include <memory>

#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"

namespace slipway::layer {

/// A Source of the plain bytes of another one: gzip, zstd, xz and bzip2 (of one stream or several)
/// are told by their first bytes, as every engine does, since media types are often wrong; anything
/// else is passed on as it is. Memory is bounded (zstd's window to 128 MiB, xz to 160).
///
/// Fails with Corrupt (damaged, cut short, bytes behind its end), Unsupported (an xz that needs
/// more memory), or as the Source below does.
class Decompressed final : public Source {
 public:
  /// Borrows `packed`.
  explicit Decompressed(Source& packed);
  ~Decompressed() override;
  Result<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  Result<void> start();
  Source& packed_;
  std::unique_ptr<class Codec> codec_;
};

/// A Source that hashes and counts what goes by.
class HashingSource final : public Source {
 public:
  /// Borrows `next`.
  explicit HashingSource(Source& next) : next_(next) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override;
  /// The next `count` bytes go by without being hashed. Whoever reads them gives them to
  /// `hash_read`, on any thread, before more is read.
  void leave_unhashed(std::uint64_t count) { unhashed_bytes_ = count; }
  void hash_read(Bytes bytes) { hash_.update(bytes); }
  std::uint64_t size_bytes() const { return size_bytes_; }
  Digest finish() { return hash_.finish(); }

 private:
  Source& next_;
  Sha256 hash_;
  std::uint64_t unhashed_bytes_ = 0;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace slipway::layer
