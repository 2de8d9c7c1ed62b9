/// How `slipway gpu` shows what it has found.
#pragma once

#include <string>

#include "plan/gpu_list.h"

namespace slipway::cli {

/// A line for each GPU and each part of one, and below it who uses it.
std::string gpu_table(const plan::GpuList& list);
/// docs/formats/gpu.md.
std::string gpu_json(const plan::GpuList& list);
/// The CDI specification as JSON.
std::string cdi_json(const gpu::CdiSpec& spec);

}  // namespace slipway::cli
