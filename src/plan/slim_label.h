/// What an image says of having been slimmed: its label `dev.slipway.slim`. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/verdict.h"

namespace slipway::plan {

inline constexpr const char* kSlimLabel = "dev.slipway.slim";

struct SlimLabel {
  std::string from;                          ///< the full image's digest
  std::vector<gpu::ComputeCapability> gpus;  ///< rising
  std::vector<std::string> dropped;          ///< rules, sorted
  bool also_proprietary = false;
  bool operator==(const SlimLabel&) const = default;
};

/// JSON, the same text for the same facts.
std::string write_slim_label(const SlimLabel& label);
/// Of an image's labels; nothing where there is none that can be read.
std::optional<SlimLabel> find_slim_label(const std::map<std::string, std::string>& labels);

/// One finding, broken, for each GPU whose code may be gone: the facts of a library tell what it
/// has, and not what every one of its kernels has.
std::vector<gpu::Finding> judge_slim_label(const SlimLabel& label,
                                           const std::vector<gpu::GpuModel>& gpus);

}  // namespace slipway::plan
