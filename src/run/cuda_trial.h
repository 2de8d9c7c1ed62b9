/// CUDA inside a container: whether it starts, and computes.
///
/// The image's own Python loads libcuda as every framework would, starts CUDA, has the driver
/// compile a kernel of three instructions (CUDA Driver API, PTX ISA) and compares its result.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::run {

/// For a process in the container; its last line is for `judge_cuda_trial`. It ends by itself.
std::vector<std::string> cuda_trial_command();

struct CudaTrial {
  int devices = 0;
  std::string trouble;    ///< empty: each device computed what it should
  bool could_run = true;  ///< false: the image has no Python, nobody knows
};
/// Of the status and the output of that command. Pure; takes any words.
CudaTrial judge_cuda_trial(int status, std::string_view output);

}  // namespace slipway::run
