/// One more command in a run that goes on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/reporter.h"
#include "run/container.h"
#include "run/run_list.h"

namespace slipway::run {

struct ExecRequest {
  std::vector<std::string> command;
  std::vector<std::string> environment;  ///< over the run's
  std::optional<std::string> working_folder;
  std::optional<uid_t> uid;  ///< the run's otherwise
  std::optional<gid_t> gid;
  Input input = Input::Null;
  Terminal terminal = Terminal::No;
  enum class Detach { No, Yes } detach = Detach::No;
};

/// Blocks until the command has ended, unless it is to be detached; its status, as `run_container`
/// has them. The command has the run's limits, seccomp filter and no_new_privs, and no capability
/// unless it is root inside. For the end of the program: the process enters the run's namespaces
/// and does not come back. No other thread may run. Fails with Denied (not running), Denied, Io.
Result<int> exec_in_run(const KnownRun& run, const ExecRequest& request, Reporter& reporter);

}  // namespace slipway::run
