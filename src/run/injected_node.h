/// A device node that a specification asks for, held against the host's.
#pragma once

#include "run/container.h"
#include "run/prepared_mounts.h"

namespace slipway::run {

/// What the runtime is to make. What the specification leaves open is the host's node's. Fails with
/// NotFound, InvalidInput where that is none, or of another type.
Result<BundleDevice> read_injected_node(const InjectedNode& node, const RunRequest& request);

/// The host's node to be bound. Fails with NotFound, Denied, Unsupported.
Result<UniqueFd> open_injected_node(const InjectedNode& node);

}  // namespace slipway::run
