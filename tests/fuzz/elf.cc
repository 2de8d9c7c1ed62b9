// Any bytes: facts, symbols and cuda-compat's note, or why not; never a read outside them (ASan and
// UBSan watch).
#include "gpu/elf.h"

#include "gpu/compat_library.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const slipway::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  const auto symbols = slipway::gpu::read_symbols(bytes);
  if (!symbols.problem.empty() && !symbols.defined.empty()) __builtin_trap();
  const auto facts = slipway::gpu::read_elf(bytes);
  if (!facts.ok() && facts.error().kind != slipway::ErrorKind::Corrupt) __builtin_trap();
  const auto note = slipway::gpu::read_compat_note(bytes);
  if (!note.ok() && note.error().kind != slipway::ErrorKind::Corrupt) __builtin_trap();
  if (note.ok() && *note && (*note)->branches.empty()) __builtin_trap();
  return 0;
}
