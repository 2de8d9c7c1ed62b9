/// The flags of a run as its record keeps them (`request.json`), so that `start` can ask for the
/// same again. What the record has anyway is not in it: command, environment, name, labels, restart
/// policy, log. docs/formats/run.md has the fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plan/run_image.h"
#include "spec/project.h"

namespace slipway::plan {

struct KeptFlags {
  RunFlags flags;
  std::optional<spec::Resources> ceilings;  ///< the project's, where there was one
};

/// Pure.
std::string write_kept_flags(const RunFlags& flags, const spec::Resources* ceilings);
/// Fails with Corrupt. Pure.
Result<KeptFlags> parse_kept_flags(std::string_view text);

}  // namespace slipway::plan
