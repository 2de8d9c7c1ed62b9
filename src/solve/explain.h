/// Tells people why there is no solution.
#pragma once

#include <string>
#include <vector>

#include "solve/conflict.h"

namespace slipway::solve {

/// For Error::because and Error::hints: one fact a line, lower case, no final stop.
///
/// Each fact stands once. A line that draws a conclusion begins with "so "; where a conclusion is
/// used again later, its line ends in a number "(1)" and the later line says "with (1)". The last
/// line is the conclusion about the request as a whole.
struct Explanation {
  std::vector<std::string> because;
  std::vector<std::string> hints;
  /// Which of the request's demands the conflict rests on: to be said where nothing better is
  /// known.
  std::vector<std::string> suspects;
};

Explanation explain(const Conflict& conflict);

}  // namespace slipway::solve
