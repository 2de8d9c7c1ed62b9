/// `slipway gc`: what no image of the store needs any more.
#pragma once

#include <string>
#include <vector>

#include "base/digest.h"
#include "plan/tools.h"
#include "store/garbage.h"

namespace slipway::plan {

struct GarbageRequest {
  store::GarbageOptions options;
  std::vector<std::string> images;  ///< names to forget first
  std::vector<std::string> keep;    ///< names that age and size do not touch
};

/// No image of the store has this manifest any more, and these runs keep it.
struct HeldImage {
  std::string reference;  ///< as it was called when they were started
  Digest digest;
  std::vector<std::string> runs;  ///< names, sorted
  bool has_living_runs = false;
};

struct Collected {
  store::Swept swept;
  std::vector<HeldImage> held;  ///< by reference, then digest
};

/// Waits for builds under way to end. Runs keep what they use.
Result<Collected> collect_garbage(const GarbageRequest& request, const Tools& tools);

}  // namespace slipway::plan
