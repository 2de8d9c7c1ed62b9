/// Which of this host's GPUs a container gets: what `--gpus` says, and what comes of it.
///
/// The words are Docker's, and more: `all`, `none`, `auto` (all there are, or none), `2` (so many),
/// and by name: `0,2` and `device=0` (NVML's index), `GPU-…` and `MIG-…` (a UUID or the beginning
/// that only one has), `0:1` (a part of a GPU that is divided).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "gpu/host.h"

namespace slipway::gpu {

struct GpuChoice {
  enum class Kind { None, Automatic, All, Count, Named } kind = Kind::Automatic;
  unsigned count = 0;              ///< Count: at least 1
  std::vector<std::string> names;  ///< Named
  bool operator==(const GpuChoice&) const = default;
};

/// Pure. InvalidInput on anything else; "0" too, which could mean two things.
Result<GpuChoice> parse_gpu_choice(std::string_view text);

/// As it was written, but for `device=`.
std::string gpu_choice_text(const GpuChoice& choice);

/// `host` with the chosen GPUs alone, and of the nodes those that belong to them or to all. Where a
/// GPU is divided, its parts are what is chosen from. Automatic is All here; None is not for it.
/// Fails with NotFound, and with Unsupported where there are fewer, naming what there is.
Result<HostGpus> choose_gpus(HostGpus host, const GpuChoice& choice);

}  // namespace slipway::gpu
