/// The GPUs of a run: which, and what of the host's driver it needs.
#pragma once

#include <string>
#include <vector>

#include "gpu/gpu_choice.h"
#include "plan/image_files.h"
#include "plan/run_image.h"
#include "run/container.h"

namespace slipway::plan {

/// Whether `--device` names GPUs: `nvidia.com/gpu=NAME`.
bool is_gpu_device(std::string_view device);

/// What `--gpus` says, or `--device nvidia.com/gpu=NAME`, the CDI's name for the same (the devices
/// are found out anew, whatever a file in /etc/cdi says), or else the project. InvalidInput where
/// both say something.
Result<gpu::GpuChoice> find_choice(const RunFlags& flags, const std::string& of_project);

/// Fills in the nodes, the driver and the loader's cache, in which the image's cuda-compat takes
/// the place of libcuda where it may (gpu/compat_choice.h); one line says so, or why not. Fails
/// with Unsupported or NotFound where the chosen GPUs cannot be had.
Result<void> add_gpus(const gpu::GpuChoice& choice, RunFlags::CudaCompat compat,
                      const ImageFiles& files, run::RunRequest& request, Reporter& reporter);

/// What `--device nvidia.com/gds=all` and its like ask for (gpu/extra_devices.h): nodes and places.
Result<void> add_extra_devices(const std::string& device, run::RunRequest& request);

/// Takes away the places to which a link of the image leads, or where a volume stands, and says so.
void check_places(const ImageFiles& files, run::RunRequest& request, Reporter& reporter);

}  // namespace slipway::plan
