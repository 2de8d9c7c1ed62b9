/// `slipway start`: a run that has ended, once more, with what it was asked for and what it wrote.
#pragma once

#include "plan/kept_flags.h"
#include "plan/runs.h"

namespace slipway::plan {

/// A run that has ended, ready to be started. To be asked for before a user namespace is entered:
/// CDI files are read.
struct EndedRun {
  KeptFlags kept;
  StoredImage image;
};

/// Fails with Unsupported where the record does not say enough (it is older than `start`), Corrupt,
/// NotFound where a CDI device or the image is gone.
Result<EndedRun> read_ended_run(const run::KnownRun& run, const Tools& tools);

/// Returns once the command runs, detached whatever it was before. `attached` of what is returned
/// shows all it writes, where `attach` says so. Needs what base/user_namespace.h gives. Fails as
/// `run_image`, and with Denied where the run goes on; the record is as before then, with the
/// reason in `error`.
Result<run::DetachedStart> start_again(const EndedRun& run, run::RunRequest::Attach attach,
                                       const Tools& tools);

}  // namespace slipway::plan
