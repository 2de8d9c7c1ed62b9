/// Why a lock has the layers that it has.
#pragma once

#include <optional>
#include <string>

#include "spec/lock.h"

namespace slipway::plan {

/// By its name in any spelling (PEP 503); null where the lock has no such wheel. Borrows the lock.
const spec::LockedWheel* find_wheel(const spec::Lock& lock, const std::string& name);

/// A few lines about `cuda`, `driver`, `gpu`, `glibc` or `python`; nothing for other words. Pure.
std::optional<std::string> explain_layer(const spec::Lock& lock, const std::string& word);

/// What a wheel asks of the layers below Python, a line each; empty for most. Pure.
std::string explain_wheel_layers(const spec::Lock& lock, const spec::LockedWheel& wheel);

}  // namespace slipway::plan
