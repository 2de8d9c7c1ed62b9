/// A library without the GPU code that no wanted GPU can run: what `slipway slim` makes of it.
///
/// The rule is the one by which judge_gpus finds a library fit or not (runs_sass, runs_ptx),
/// applied to each container by itself, since the driver chooses within one. SASS stays where it
/// runs on one of the GPUs; PTX where it can be compiled for one that no SASS of the container runs
/// on. All candidates stay, not only the one that we would choose: on these GPUs the driver has the
/// very choice that it had. A container of which nothing would stay is left as it is.
///
/// What stays moves to the front of its container, whose size shrinks; zeros follow, up to the next
/// one. So the file keeps its size, every container its address, and each container is one as nvcc
/// writes it for fewer GPUs. docs/decisions/0022-smaller-fat-binaries.md has the reasons.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gpu/fat_binary.h"

namespace slipway::gpu {

/// A range of the new file.
struct CodePiece {
  enum class What { Zeros, Moved, Number };
  What what = What::Zeros;
  std::uint64_t offset = 0, size = 0;
  std::uint64_t from = 0;    ///< Moved: where it was
  std::uint64_t number = 0;  ///< Number: eight bytes, little-endian
  bool operator==(const CodePiece&) const = default;
};

struct SlimCode {
  std::vector<CodePiece> pieces;  ///< rising, apart; all else stays as it is
  std::uint64_t code_bytes = 0;   ///< of all payloads
  GpuCode left;                   ///< what read_gpu_code finds in the new file
  std::string problem;            ///< why the file is to be left alone; then there are no pieces
};

/// Code before device linking, and entries of kinds that are not known, stay. Corrupt as
/// read_gpu_code has it: such a file is to be left alone too.
Result<SlimCode> slim_code(Bytes file, std::span<const ComputeCapability> gpus);

}  // namespace slipway::gpu
