/// `slipway check`: whether an environment runs on the hosts that are asked about. See
/// gpu/verdict.h for the rules.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpu/verdict.h"
#include "plan/slim_label.h"
#include "plan/stored_images.h"
#include "plan/tools.h"
#include "spec/fleet.h"
#include "spec/lock.h"

namespace slipway::plan {

/// The facts of what is checked.
struct CheckedEnvironment {
  std::string name;  ///< `pytorch-cuda:2.6`, `/path/slipway.lock`
  std::vector<gpu::LayerLibraries> layers;
  gpu::System system = gpu::System::Inside;
  std::string glibc;  ///< of a lock: what it was solved for
  std::optional<std::vector<std::string>> debian_packages = {};  ///< of a lock: names, sorted
  std::vector<std::string> host_libraries =
      {};                              ///< of a folder of this machine: its loader's, sorted
  std::optional<SlimLabel> slim = {};  ///< of an image that was slimmed
  std::size_t foreign_layers = 0;      ///< the lowest ones, of a base image
};

/// An image of the store. Facts that are known are not read again.
Result<CheckedEnvironment> read_image_environment(const StoredImage& image, const Tools& tools);

/// A lock: its wheels; the C library and its like are the base's, of which the lock tells the
/// glibc and the packages.
Result<CheckedEnvironment> read_lock_environment(const std::string& name, const spec::Lock& lock,
                                                 const std::vector<spec::PythonIndex>& indexes,
                                                 const Tools& tools);

/// A virtual environment, a site-packages folder, or a folder of unpacked wheels. NotFound where it
/// is none of these.
Result<CheckedEnvironment> read_folder_environment(const std::string& path, const Tools& tools);

/// The words of a host as GPUs and versions. `this host` for a GPU or the driver means what NVML
/// says here. A driver may be a specifier: its lowest version counts. InvalidInput with the nearest
/// names.
Result<gpu::HostQuestion> make_question(const spec::FleetHost& host);

struct HostVerdict {
  gpu::HostQuestion host;
  std::vector<gpu::Finding> findings;
  gpu::Verdict verdict = gpu::Verdict::Ok;
};

HostVerdict check_environment(const CheckedEnvironment& environment,
                              const gpu::HostQuestion& question);

}  // namespace slipway::plan
