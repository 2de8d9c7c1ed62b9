/// Questions that a solve asks of the compatibility tables. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/compatibility.h"

namespace slipway::gpu {

/// Every CUDA of which the tables speak: "13.2", "12.4"; newest first, each once.
std::vector<std::string> known_cudas(const CompatibilityTables& tables);

/// The folders of a per-CUDA index: "cu132" … "cu117", "cpu".
std::vector<std::string> published_builds(const CompatibilityTables& tables);

/// The CUDA of the torch that the public default index serves, by `MAJOR.MINOR`; empty: not known.
std::string default_cuda(const CompatibilityTables& tables, std::string_view torch_series);

/// The row of that package for versions MAJOR.MINOR; null where there is none.
const Companion* find_companion(const CompatibilityTables& tables, std::string_view package,
                                std::string_view series);

/// The C++ ABI of torch MAJOR.MINOR: of all builds where `cuda` is empty; else that build alone has
/// the new one.
CxxAbiRow find_cxx_abi(const CompatibilityTables& tables, std::string_view torch_series);

/// What torch MAJOR.MINOR, built for that CUDA, has code for. Of a torch that is newer than the
/// tables, what the newest of them has for the same CUDA: PyTorch drops GPUs with a CUDA rather
/// than within one. Null where nothing is known of that CUDA.
const TorchArch* find_torch_arch(const CompatibilityTables& tables, std::string_view torch_series,
                                 std::string_view cuda);

/// "5.x, 6.x, 7.5 or 9.x": code for 8.0 runs on all of 8, code for 7.5 on 7.5 only (see
/// runs_sass).
std::string capabilities_text(const TorchArch& row);

/// The oldest driver that runs programs of this CUDA at all (minor-version compatibility); nothing
/// where it is not known.
std::optional<DriverVersion> driver_floor(const CompatibilityTables& tables, std::string_view cuda);

/// Every driver from which on something more works: the oldest for a CUDA, the first for a GPU.
/// Lowest first, each once.
std::vector<DriverVersion> driver_floors(const CompatibilityTables& tables);

}  // namespace slipway::gpu
