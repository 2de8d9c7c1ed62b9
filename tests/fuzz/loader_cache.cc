// Any bytes as an /etc/ld.so.cache: what is read is written again, and then stays as it is.
#include "gpu/loader_cache.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace slipway;
  auto cache = gpu::parse_loader_cache({reinterpret_cast<const char*>(data), size});
  if (!cache.ok()) return 0;
  const std::string written = gpu::write_loader_cache(*cache);
  const auto again = gpu::parse_loader_cache(written);
  if (!again.ok() || again->entries.size() != cache->entries.size() ||
      again->subfolders != cache->subfolders || again->generator != cache->generator) {
    __builtin_trap();
  }
  if (gpu::write_loader_cache(*again) != written) __builtin_trap();
  gpu::lead_to_folder(*cache, "/f", {"libcuda.so.1"});
  if (!gpu::parse_loader_cache(gpu::write_loader_cache(*cache)).ok()) __builtin_trap();
  return 0;
}
