/// One life of a run, from the bundle to the exit status.
#pragma once

#include <functional>
#include <string>

#include "run/limits.h"
#include "run/monitor.h"
#include "run/record.h"
#include "run/runtime.h"

namespace slipway::run {

struct LifeRequest {
  const RunRequest& request;
  const HostLimits& host;
  const ResolvedLimits& limits;
  RunRecord& record;
  Monitor& monitor;
  Reporter& reporter;
  const CancelToken& cancel;
  RunState& state;
  std::function<void()> on_start;
};

struct LifeOutcome {
  int status = 0;
  bool has_started = false;
  std::string runtime_error;  ///< what the runtime said, where it did not start
  std::string hint;           ///< what to do about that, where there is something
};

/// Writes the state as it changes. Fails where the container could not be prepared.
Result<LifeOutcome> live_once(LifeRequest& life, const RuntimeProgram& program);

/// The same with the first of `programs` that works on this machine (runtime_choice.h), which comes
/// first from then on.
Result<LifeOutcome> live_once_with(LifeRequest& life, std::vector<RuntimeProgram>& programs);

/// The process behind a pidfd, as seen from here; 0 where there is none.
pid_t pid_behind(int pid_fd);

}  // namespace slipway::run
