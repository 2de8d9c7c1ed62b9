/// What a run of the built-in notebook gets besides: a token of its own, and where it is told.
#pragma once

#include "base/reporter.h"
#include "run/container.h"

namespace slipway::plan {

/// Does nothing for another command. JUPYTER_TOKEN is made up unless the request has one; on the
/// host's network the notebook listens on loopback alone. The address with the token is told once,
/// by `reporter`, and stands in no log: Jupyter does not show a token that it was given.
Result<void> prepare_notebook(run::RunRequest& request, Reporter& reporter);

}  // namespace slipway::plan
