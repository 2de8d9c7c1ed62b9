// A lock from a stranger: what is taken is written back as the same lock.
#include "spec/lock.h"

#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lock = slipway::spec::parse_lock(text, "slipway.lock");
  if (!lock.ok()) return 0;
  const std::string written = slipway::spec::write_lock(*lock);
  const auto again = slipway::spec::parse_lock(written, "slipway.lock");
  SLIPWAY_CHECK(again.ok() && *again == *lock);
  SLIPWAY_CHECK(slipway::spec::write_lock(*again) == written);
  return 0;
}
