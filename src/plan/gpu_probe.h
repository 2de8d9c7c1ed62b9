/// The proof by doing: a product of two matrices on each GPU, in a container of the image, compared
/// with the CPU's.
///
/// The matrices hold small whole numbers, so that every sum is exact in single precision, with and
/// without TF32: the two products have to be equal, not merely close.
#pragma once

#include <string>
#include <vector>

#include "base/process.h"
#include "gpu/host_finding.h"

namespace slipway::plan {

/// The command that a container of the image is to run. It ends by itself (a GPU may hang), and its
/// last words are one line for `judge_probe`.
std::vector<std::string> probe_command();

struct ProbeSubject {
  std::string image;
  /// Why no GPU was given to the container; empty: it had them all.
  std::string no_gpu_because;
};

/// What the probe's end and words mean. Pure; takes any words.
gpu::HostFindings judge_probe(const ProcessResult& result, const ProbeSubject& subject);

}  // namespace slipway::plan
