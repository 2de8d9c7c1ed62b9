/// Compute capabilities, and which machine code runs on which GPU.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::gpu {

struct ComputeCapability {
  int major = 0, minor = 0;
  auto operator<=>(const ComputeCapability&) const = default;
  std::string text() const;  ///< `9.0`
  std::string sm() const;    ///< `sm_90`
};

/// `9.0`, `sm_90`, `compute_90`, `sm90`; no variants. InvalidInput on anything else.
Result<ComputeCapability> parse_compute_capability(std::string_view text);

/// Who may run machine code: everyone of the major version (`sm_90`), this very chip (`sm_90a`), or
/// its family (`sm_100f`): NVIDIA's nvcc documentation, "GPU feature list".
enum class CodeVariant : char { Portable = ' ', Exact = 'a', Family = 'f' };

/// What SASS was compiled for.
struct CodeTarget {
  ComputeCapability capability;
  CodeVariant variant = CodeVariant::Portable;
  auto operator<=>(const CodeTarget&) const = default;
  std::string text() const;  ///< `sm_90a`
};

/// `sm_90a`, `sm_100f`, `sm_86`, `8.6`.
Result<CodeTarget> parse_code_target(std::string_view text);

/// Code of the same major version and no higher minor one runs; `a` only on its own chip. GPUs of
/// Jetson modules (5.3, 6.2, 7.2, 8.7, 11.0) share code with no desktop GPU, in neither direction:
/// CUDA C++ Programming Guide, "Binary compatibility".
bool runs_sass(const CodeTarget& code, ComputeCapability device);

/// PTX is compiled for its own capability and all newer ones; with `a` only for that one, with `f`
/// for its family.
bool runs_ptx(const CodeTarget& code, ComputeCapability device);

}  // namespace slipway::gpu
