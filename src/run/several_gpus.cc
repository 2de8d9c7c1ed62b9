#include "run/several_gpus.h"

#include <sys/resource.h>

#include <algorithm>

#include "base/size_text.h"

namespace slipway::run {
namespace {

// Of NCCL's buffers between two processes, with room for data loaders (pytorch#5040: 64 MB,
// Docker's default, is where they die of a bus error).
constexpr std::uint64_t kSharedForEach = 512ULL << 20;
// Fewer do for no registered buffer of a network card.
constexpr std::uint64_t kLocked = 1ULL << 30;

const char* way_of(const std::optional<gpu::PeerLink>& link) {
  if (!link) return "an unknown way (this driver does not say)";
  switch (*link) {
    case gpu::PeerLink::NvLink:
      return "NVLink";
    case gpu::PeerLink::Pcie:
      return "PCIe, from GPU to GPU";
    case gpu::PeerLink::Host:
      break;
  }
  return "shared memory (they do not reach each other)";
}

bool has_network_card(const RunRequest& request) {
  return std::ranges::any_of(request.device_nodes, [](const std::string& node) {
    return node.starts_with("/dev/infiniband/uverbs");
  });
}

}  // namespace

SeveralGpus describe_several_gpus(const RunRequest& request, std::uint64_t shm_bytes,
                                  std::uint64_t most_locked_bytes) {
  SeveralGpus found;
  const std::size_t count = request.driver.gpus.size();
  if (count < 2) return found;
  std::uint64_t locked = most_locked_bytes;
  for (const ResourceLimit& limit : request.resource_limits) {
    if (limit.type == "MEMLOCK") locked = limit.soft;
  }
  const bool is_unlimited = locked == RLIM_INFINITY;
  const std::string locked_text = is_unlimited ? "unlimited" : memory_text(locked);
  found.facts = fmt::format("{} GPUs: NCCL goes by {}; /dev/shm {}, locked memory {}", count,
                            way_of(request.driver.link), memory_text(shm_bytes), locked_text);
  if (shm_bytes < count * kSharedForEach) {
    found.troubles.push_back(
        fmt::format("/dev/shm of {} is little for {} GPUs: `--shm-size {}g` or more",
                    memory_text(shm_bytes), count, (count * kSharedForEach >> 30) + 1));
  }
  if (has_network_card(request) && !is_unlimited && locked < kLocked) {
    found.troubles.push_back(fmt::format(
        "with {} of locked memory NCCL cannot use the InfiniBand card and takes TCP: `--ulimit "
        "memlock=-1`, where this machine allows it",
        locked_text));
  }
  return found;
}

}  // namespace slipway::run
