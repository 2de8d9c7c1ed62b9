/// Whether the cuda-compat of an image takes the place of the host's libcuda on the chosen GPUs.
/// Pure.
///
/// By NVIDIA's rule (its hook enable-cuda-compat): it is newer than the host's driver, whose branch
/// its note names; without a note, its branch is a higher one. What that rule does not ask, and
/// what would end in an error of CUDA's (804, or a chip that it knows no more), is asked too: the
/// note's kinds of GPUs, and our tables.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpu/compat_library.h"
#include "gpu/compatibility.h"
#include "gpu/host.h"

namespace slipway::gpu {

struct CompatQuestion {
  DriverVersion host, compat;
  CompatLibrary libcuda;
  std::vector<Gpu> gpus;
};

struct CompatAnswer {
  /// NotNeeded: the driver is as new.
  enum class Use { Yes, NotNeeded, No } use = Use::NotNeeded;
  std::string reason;  ///< why not; words that follow `: `
  std::string cuda;    ///< which CUDA it brings; empty where nobody knows
  bool operator==(const CompatAnswer&) const = default;
};

CompatAnswer choose_compat(const CompatibilityTables& tables, const CompatQuestion& question);

}  // namespace slipway::gpu
