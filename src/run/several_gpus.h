/// What training on several GPUs of one machine finds in a container.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "run/container.h"

namespace slipway::run {

struct SeveralGpus {
  std::string facts;                  ///< one line; empty where there are not several
  std::vector<std::string> troubles;  ///< each with what helps
};

/// How NCCL will carry data between them, and what it and data loaders have of shared memory and
/// locked memory. `most_locked_bytes` is the hard limit without one of the request's own. Pure.
SeveralGpus describe_several_gpus(const RunRequest& request, std::uint64_t shm_bytes,
                                  std::uint64_t most_locked_bytes);

}  // namespace slipway::run
