/// CDI devices on their way into a container: nodes, mounts, links and the loader's cache.
///
/// As root, nodes are made by the runtime and counted in the device rules of the control group. In
/// a user namespace none can be made: the host's own are bound, so their owner and mode stay, and a
/// device that is not there, or has another number, cannot be had.
///
/// Sources of mounts come from the specification alone, are opened once, and are bound from where
/// they were opened. What lies within a volume or another of these mounts is attached there by us,
/// as volumes.cc does it.
///
/// Nothing is ever made in a folder of the host's: a node within a mount is refused.
#pragma once

#include <string>
#include <vector>

#include "base/reporter.h"
#include "run/container.h"
#include "run/prepared_mounts.h"

namespace slipway::run {

/// What can be refused without touching anything: places inside that are not a device's to take,
/// and nodes, of any device, where a CDI file mounts a folder. Fails with InvalidInput,
/// Unsupported.
Result<void> check_injection(const RunRequest& request);

struct InjectionPlaces {
  std::string staging_folder;  ///< ours and not there yet
  std::string upper_folder;    ///< the run's writable layer
};

/// Adds the nodes to `facts`; those of the same path give way. Fails with NotFound (a device or a
/// source that is not there), InvalidInput, Unsupported (what a user namespace cannot give), Io.
Result<PreparedMounts> prepare_injection(const RunRequest& request, const InjectionPlaces& places,
                                         BundleFacts& facts, Reporter& reporter);

/// Folders before what lies in them; otherwise the order stays.
void sort_mounts(std::vector<BundleMount>& mounts);

}  // namespace slipway::run
