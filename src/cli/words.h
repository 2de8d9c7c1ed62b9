/// Option values that hold several words.
#pragma once

#include <string>
#include <vector>

namespace slipway::cli {

/// `--gpu v100,h100 --gpu sm_90`.
std::vector<std::string> split_commas(const std::vector<std::string>& values);

}  // namespace slipway::cli
