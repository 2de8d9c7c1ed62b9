// Any text: library facts that write back to themselves, or Corrupt.
#include "gpu/library_scan.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace slipway::gpu;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto libraries = parse_layer_libraries(text);
  if (!libraries.ok()) return 0;
  const auto again = parse_layer_libraries(write_layer_libraries(*libraries));
  if (!again.ok() || !(again.value() == libraries.value())) __builtin_trap();
  return 0;
}
