// Any text as request.json: flags, or an error. What was read, written and read again is the same.
#include "plan/kept_flags.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace slipway::plan;
  const auto kept = parse_kept_flags({reinterpret_cast<const char*>(data), size});
  if (!kept.ok()) return 0;
  const auto write = [](const KeptFlags& one) {
    return write_kept_flags(one.flags, one.ceilings ? &*one.ceilings : nullptr);
  };
  const std::string text = write(*kept);
  const auto again = parse_kept_flags(text);
  if (!again.ok() || write(*again) != text) __builtin_trap();
  return 0;
}
