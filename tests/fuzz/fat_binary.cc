// Any bytes, as a section and as a whole file: groups or Corrupt, never a read outside them. Pieces
// of a slim file lie inside it, apart from each other, as do the places from which bytes move.
#include "gpu/fat_binary.h"

#include "gpu/slim_code.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace slipway;
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto groups = gpu::read_fat_binaries(bytes);
  if (!groups.ok() && groups.error().kind != ErrorKind::Corrupt) __builtin_trap();
  const auto code = gpu::read_gpu_code(bytes);
  if (!code.ok() && code.error().kind != ErrorKind::Corrupt) __builtin_trap();
  const gpu::ComputeCapability gpus[] = {{8, 6}, {9, 0}};
  const auto slim = gpu::slim_code(bytes, gpus);
  if (!slim.ok() && slim.error().kind != ErrorKind::Corrupt) __builtin_trap();
  if (!slim.ok()) return 0;
  std::uint64_t end = 0;
  for (const gpu::CodePiece& piece : slim->pieces) {
    if (piece.offset < end || piece.offset > size || piece.size > size - piece.offset)
      __builtin_trap();
    if (piece.what == gpu::CodePiece::What::Moved &&
        (piece.from < piece.offset || piece.from > size || piece.size > size - piece.from))
      __builtin_trap();
    end = piece.offset + piece.size;
  }
  return 0;
}
