// Any bytes: facts or Corrupt, never a read outside them (ASan and UBSan watch).
#include "gpu/elf.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto facts = slipway::gpu::read_elf({reinterpret_cast<const std::byte*>(data), size});
  if (!facts.ok() && facts.error().kind != slipway::ErrorKind::Corrupt) __builtin_trap();
  return 0;
}
