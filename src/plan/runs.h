/// The runs of this store: what `ps`, `logs`, `exec` and the like are about.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/tools.h"
#include "run/control.h"
#include "run/exec_run.h"
#include "run/log_file.h"
#include "run/receipt.h"
#include "run/record.h"
#include "run/remove_run.h"
#include "run/run_list.h"
#include "run/usage.h"

namespace slipway::plan {

std::string runs_folder(const Tools& tools);
Result<std::vector<run::KnownRun>> list_runs(const Tools& tools);  ///< newest first
Result<run::KnownRun> find_run(std::string_view word, const Tools& tools);

/// A user of the run's image, by name or number, for `exec`. Fails with InvalidInput, NotFound.
struct RunUser {
  uid_t uid = 0;
  gid_t gid = 0;
};
Result<RunUser> find_run_user(const run::KnownRun& run, const std::string& user,
                              const Tools& tools);

/// The receipt of a run, with the sha256 of the host's files that are still what they were then.
/// Fails with NotFound where the run has none.
Result<std::string> read_receipt(const run::KnownRun& run);

/// A time as `logs --since` takes it: `10m`, `2h`, or RFC 3339. Fails with InvalidInput.
Result<UtcTime> parse_since(std::string_view text, UtcTime now);

}  // namespace slipway::plan
