/// A command over several runs: each word is looked up and dealt with, and the word is printed.
#pragma once

#include <functional>

#include "cli/command.h"
#include "plan/runs.h"

namespace slipway::cli {

/// As with docker, the failure of one does not keep the others from their turn; the last failure is
/// the command's, those before are warned of.
using PerRun = std::function<Result<void>(const run::KnownRun&, const plan::Tools&)>;
Result<int> for_each_run(const Invocation& call, Context& context, const PerRun& work);
Result<int> for_each_run(const std::vector<std::string>& words, const plan::Tools& tools,
                         const PerRun& work);

}  // namespace slipway::cli
