/// Sets of versions in words. Private to `solve`.
#pragma once

#include <string>

#include "solve/candidate_set.h"
#include "solve/conflict.h"

namespace slipway::solve {

struct RangeText {
  std::string text;        ///< "torch 2.5.0 to 2.6.0"
  bool is_plural = false;  ///< takes "need" rather than "needs"
};

/// Names the versions of `states` by the ends of their runs among the versions that exist. Versions
/// that could not be chosen anyway (yanked, unusable, pre-releases) interrupt no run.
RangeText range_text(const ConflictPackage& package, const CandidateSet& states);

/// "a, b and c"; `last` is the word before the last one.
std::string join_words(const std::vector<std::string>& words, std::string_view last);

}  // namespace slipway::solve
