/// What is known of each wheel of a lock, read once and kept by the wheel's sha256.
#pragma once

#include <string>
#include <vector>

#include "layer/wheel_layer.h"
#include "plan/tools.h"
#include "spec/lock.h"
#include "store/store.h"

namespace slipway::plan {

struct WheelFacts {
  layer::WheelInput input;
  std::vector<layer::WheelPath> paths;  ///< what it installs

  std::string label() const { return input.name + " " + input.version; }
  /// Its `.py` files, and their size together: what there is to compile.
  std::vector<std::string> sources() const;
  std::uint64_t source_bytes() const;
};

/// How the lock's wheels are laid out: below the environment's prefix, for its Python.
layer::WheelLayerOptions wheel_options(const spec::Lock& lock);

layer::WheelInput make_input(const spec::LockedWheel& wheel, const Tools& tools);

/// Whether `read_wheel_facts` needs the wheel itself.
bool knows_wheel(const store::Store& store, const spec::Lock& lock, const Digest& sha256);

/// In the lock's order. Wheels that are not known yet must be in the cache. Fails as list_wheel.
Result<std::vector<WheelFacts>> read_wheel_facts(const store::Store& store, const spec::Lock& lock,
                                                 const Tools& tools);

}  // namespace slipway::plan
