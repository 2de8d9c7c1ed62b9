/// From a request to what the container's first process needs.
#pragma once

#include <optional>
#include <vector>

#include "base/reporter.h"
#include "base/sandbox_room.h"
#include "base/unique_fd.h"
#include "run/bundle.h"
#include "run/container.h"
#include "run/limits.h"
#include "run/monitor.h"
#include "run/private_network.h"
#include "run/record.h"
#include "run/runtime.h"

namespace slipway::run {

/// `held` must live until the room has started.
struct PreparedRun {
  RoomRequest room;
  std::vector<UniqueFd> held;
  Ports ports;
  std::optional<PrivateNetwork> network;  ///< to be connected once the room has started
  std::string group;                      ///< control group; empty: none of its own
  std::vector<BundleDevice> gpu_nodes;
  std::string config;  ///< of the bundle: what the container is to be
  UniqueFd go;         ///< with RunRequest::Check::Yes: the command starts once a byte was written
};

/// What can be refused without touching anything. Fails with InvalidInput or Denied.
Result<void> check_request(const RunRequest& request);

/// Fills the record's `live` folder and lays out the steps. `limits` are those that `host` allowed.
Result<PreparedRun> prepare_run(const RunRequest& request, const RuntimeProgram& program,
                                const HostLimits& host, const ResolvedLimits& limits,
                                const RunRecord& record, Reporter& reporter);

}  // namespace slipway::run
