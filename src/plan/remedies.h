/// The smallest changes of slipway.toml that turn "no solution" into one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gpu/compatibility.h"
#include "solve/solve.h"
#include "spec/project.h"

namespace slipway::plan {

using SolveOutcome = std::variant<solve::Solution, solve::Conflict>;
/// Solves another version of the project.
using SolveAgain = std::function<Result<SolveOutcome>(const spec::Project& project)>;

/// Each in words, and each tried: with it alone the solve succeeds. In order: another driver,
/// cuda-compat beside it, a GPU less, another version of one package that the conflict speaks of;
/// where none of these helps without giving a GPU up, as few changes at once as do; else a package
/// less. Empty where nothing helps. Blocks as long as a dozen solves do. Fails only with what
/// `solve_again` fails with when cancelled; a change whose solve fails otherwise is not offered.
Result<std::vector<std::string>> find_remedies(const spec::Project& project,
                                               const solve::Conflict& conflict,
                                               const gpu::CompatibilityTables& tables,
                                               const SolveAgain& solve_again);

}  // namespace slipway::plan
