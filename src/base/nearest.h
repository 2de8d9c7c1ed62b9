/// "Did you mean": the names closest to one that is not known.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway {

/// Up to `most` of `candidates` within a Damerau-Levenshtein distance of a third of the length
/// (at least 1, at most 4), closest first. Pure.
std::vector<std::string> find_nearest(std::string_view name,
                                      std::span<const std::string> candidates,
                                      std::size_t most = 3);

/// "did you mean `a`, `b` or `c`?"; empty when there are none.
std::string did_you_mean(std::span<const std::string> names);

}  // namespace slipway
