/// Inflates raw deflate streams whose exact sizes are known, whole or piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/error.h"
#include "base/io.h"

namespace slipway::layer {

/// Not for several threads at once. Failures are Corrupt, as the end of a sentence ("does not …").
class Inflater {
 public:
  Inflater();
  Inflater(Inflater&&) noexcept;
  ~Inflater();

  /// The stream must end with the last byte of `in` and fill `out` exactly.
  Result<void> inflate_whole(Bytes in, std::span<std::byte> out);

  /// A stream of `compressed_bytes` that gives `size_bytes`, in pieces.
  void start(std::uint64_t compressed_bytes, std::uint64_t size_bytes);
  /// Fills `out` as far as `in` lasts; takes bytes off the front of `in`. Returns how many were
  /// written. What the decoder holds back comes with the next call, so call until `in` is empty and
  /// nothing more is written.
  Result<std::size_t> inflate(Bytes& in, std::span<std::byte> out);
  /// After the last byte: did the stream end just here?
  Result<void> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// CRC-32 as zip and gzip mean it, carried on from `crc`.
std::uint32_t crc32(std::uint32_t crc, Bytes bytes);

/// CRC-64 with ISO 3309's polynomial, as Go's hash/crc64 means it, carried on from `crc`.
std::uint64_t crc64(std::uint64_t crc, Bytes bytes);

}  // namespace slipway::layer
