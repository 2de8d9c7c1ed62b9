/// Any bytes through our encoder and back; the cuts must not matter.
#include <cstddef>
#include <cstdint>
#include <string>

#include "layer/deflate_encoder.h"
#include "layer/inflate.h"

using namespace slipway;
using namespace slipway::layer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static DeflateEncoder encoder;
  static Inflater inflater;
  // Repeated, so that short inputs have far matches too.
  std::string text(reinterpret_cast<const char*>(data), size);
  for (int i = 0; i < 4 && text.size() < 200000; ++i) text += text;
  std::string once, pieces;
  encoder.write(as_bytes(text), once);
  encoder.finish(once);
  for (std::size_t i = 0; i < text.size(); i += 777) {
    encoder.write(as_bytes(std::string_view(text).substr(i, 777)), pieces);
  }
  encoder.finish(pieces);
  if (once != pieces) __builtin_trap();
  std::string back(text.size(), '\0');
  if (!inflater.inflate_whole(as_bytes(once), std::as_writable_bytes(std::span(back))).ok())
    __builtin_trap();
  if (back != text) __builtin_trap();
  return 0;
}
