/// The runs whose records are kept, and which of them a word means.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "run/run_facts.h"

namespace slipway::run {

struct KnownRun {
  std::string folder;
  RunFacts facts;
  RunState state;         ///< Lost where the monitor died
  bool is_alive = false;  ///< its monitor is there
  /// A monitor that has told of the end is about to leave: such a run does not go on.
  bool goes_on() const { return is_alive && state.status != RunStatus::Exited; }
};

/// Newest first. `runs` need not exist. Fails with Io, Denied.
Result<std::vector<KnownRun>> list_runs(const std::string& runs);

/// By id, name, or the beginning of an id, in this order. Fails with NotFound (with the nearest
/// names) or InvalidInput (several have this beginning).
Result<KnownRun> find_run(const std::string& runs, std::string_view word);

/// Whether anybody holds the lock of the record.
bool is_alive(const std::string& run_folder);

}  // namespace slipway::run
