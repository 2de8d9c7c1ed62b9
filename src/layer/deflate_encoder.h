/// A small deflate encoder (RFC 1951) of our own, so that no installed library decides a digest.
///
/// Hash chains over a window of 32 KiB, lazy matching, blocks of 64 KiB of input, each stored, with
/// the fixed codes or with codes of its own, whichever is the shortest. What comes out depends on
/// the bytes alone, not on how they were cut into writes nor on earlier streams. A change of what
/// comes out is a change of kLayoutVersion.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/io.h"

namespace slipway::layer {

class DeflateEncoder {
 public:
  DeflateEncoder();
  DeflateEncoder(DeflateEncoder&&) noexcept;
  ~DeflateEncoder();

  /// Takes the next bytes of the stream and appends to `out` what is certain.
  void write(Bytes bytes, std::string& out);
  /// Ends the stream; the next `write` begins another one.
  void finish(std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::layer
