// Any bytes, as a section and as a whole file: groups or Corrupt, never a read outside them.
#include "gpu/fat_binary.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const slipway::Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto groups = slipway::gpu::read_fat_binaries(bytes);
  if (!groups.ok() && groups.error().kind != slipway::ErrorKind::Corrupt) __builtin_trap();
  const auto code = slipway::gpu::read_gpu_code(bytes);
  if (!code.ok() && code.error().kind != slipway::ErrorKind::Corrupt) __builtin_trap();
  return 0;
}
