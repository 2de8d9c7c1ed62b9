/// Where NVIDIA's package cuda-compat stands in for a driver that is too old. Pure.
#pragma once

#include <string>
#include <string_view>

#include "gpu/compatibility.h"

namespace slipway::gpu {

/// The row of a CUDA, `12.8`; null where no table knows that package.
const ForwardCompatibility* find_forward_compatibility(const CompatibilityTables& tables,
                                                       std::string_view cuda);
/// The row of the package whose libcuda is of that driver branch.
const ForwardCompatibility* find_forward_compatibility(const CompatibilityTables& tables,
                                                       const DriverVersion& driver);

/// Whether it stands in for drivers of that branch.
bool fits_driver(const ForwardCompatibility& row, const DriverVersion& driver);
/// Whether it works on GPUs of that kind. `kind` is empty where nobody knows: then it does not.
bool fits_kind(const ForwardCompatibility& row, std::string_view kind);
/// Whether its libcuda still supports the chip: newer branches drop old ones.
bool knows_chip(const ForwardCompatibility& row, const GpuModel& gpu);

/// Whether all of that holds: it stands in for that driver on that GPU.
bool stands_in(const ForwardCompatibility& row, const DriverVersion& driver, const GpuModel& gpu);

/// `470, 535 or 550`.
std::string branches_text(const ForwardCompatibility& row);

/// `GeForce`, `data-centre GPU`; of an unknown kind `GPU`.
std::string kind_text(std::string_view kind);

}  // namespace slipway::gpu
