/// NVIDIA's package cuda-compat in an image: /usr/local/cuda/compat, where NVIDIA's own hook looks,
/// or the newest /usr/local/cuda-*/compat.
///
/// Found in the bytes of the image's layers, before anything is mounted. What comes of it is a path
/// inside the image, for its loader's cache: never the source of a mount (CVE-2024-0132 and
/// CVE-2025-23359 were that).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpu/compat_library.h"
#include "gpu/driver_version.h"
#include "gpu/loader_cache.h"
#include "plan/image_files.h"

namespace slipway::plan {

struct ImageCompat {
  std::string folder;  ///< inside, without links: `/usr/local/cuda-12.8/compat`
  std::string path;    ///< of its libcuda, inside
  std::string on_host;
  Digest layer;
  gpu::DriverVersion version;  ///< `570.86.15`
  gpu::CompatLibrary libcuda;
  std::vector<gpu::LoaderLead> leads;  ///< libcuda and the libraries of its version beside it
};

/// Nothing where there is none that could be used: no folder below /usr or /opt, or none with just
/// one libcuda that is a regular file and a library for this machine.
std::optional<ImageCompat> find_image_compat(const ImageFiles& files);

}  // namespace slipway::plan
