/// `slipway gc`: what no image of the store needs any more.
#pragma once

#include <string>
#include <vector>

#include "plan/tools.h"
#include "store/garbage.h"

namespace slipway::plan {

struct GarbageRequest {
  store::GarbageOptions options;
  std::vector<std::string> images;  ///< names to forget first
};

/// Waits for builds under way to end. Runs keep what they use.
Result<store::Swept> collect_garbage(const GarbageRequest& request, const Tools& tools);

}  // namespace slipway::plan
