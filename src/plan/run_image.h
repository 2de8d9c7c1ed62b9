/// `slipway run`: an image of the store as a running container.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdi/catalogue.h"
#include "gpu/gpu_choice.h"
#include "plan/id_records.h"
#include "plan/project_folder.h"
#include "plan/stored_images.h"
#include "plan/tools.h"
#include "run/container.h"

namespace slipway::plan {

/// The flags of `run` as they were given. What is not given comes from the image, then from the
/// project's [resources], whose limits are ceilings; limits given here are exact.
struct RunFlags {
  std::vector<std::string> command;
  std::optional<std::string> mode;       ///< a command of [modes], by name
  std::vector<std::string> volumes;      ///< "source:target[:ro]"
  std::vector<std::string> environment;  ///< "NAME=value", or "NAME" to pass ours on
  std::optional<std::string> working_folder;
  std::optional<std::string> user;  ///< "uid[:gid]", or a name of the image's /etc/passwd
  std::optional<std::uint64_t> memory_bytes, shm_bytes;
  std::optional<double> cpus;
  std::optional<gpu::GpuChoice> gpus;
  /// The image's cuda-compat: where it stands in for the driver by NVIDIA's rules, or not at all.
  enum class CudaCompat { Automatic, Never } cuda_compat = CudaCompat::Automatic;
  std::optional<std::string> network;  ///< host, none, private; private where ports are published
  std::vector<std::string> ports;      ///< as for parse_port_map
  std::optional<std::string> host_name;
  std::vector<std::string> environment_files;
  std::vector<std::string> ulimits, tmpfs, devices, labels, groups;  ///< as Docker writes them
  std::vector<std::string> cdi_folders;                              ///< in place of the usual ones
  enum class Hooks { Refused, LeftOut } hooks = Hooks::Refused;      ///< of CDI devices, if unknown
  std::optional<cdi::Selection> cdi;      ///< from `devices`, by find_cdi_devices
  std::optional<std::string> entrypoint;  ///< in place of the image's; its command goes too
  std::string name, restart = "no", id_file;
  std::string stop_signal = "";  ///< the image's otherwise
  int stop_seconds = 10;
  run::LogLimits log;
  enum class Attendance { Foreground, Detached } attendance = Attendance::Foreground;
  enum class Afterwards { Kept, Removed } afterwards = Afterwards::Kept;
  enum class Init { AsTheImage, Wanted } init = Init::AsTheImage;
  enum class Check { No, Yes } check = Check::No;  ///< before the command runs
  /// Which files of the image it reads is noted, for `pull --lazy` (read_order.h).
  enum class Reads { NotNoted, Noted } reads = Reads::NotNoted;
  enum class Root { Writable, ReadOnly } root = Root::Writable;
  enum class Input { Null, Ours } input = Input::Null;
  enum class Terminal { No, Yes } terminal = Terminal::No;
  std::string folder;  ///< to which relative volume sources are relative; absolute
  /// The run that is started again (start_run.h): command, environment and the like are its own.
  std::optional<run::RunFacts> again;
  run::RunRequest::Attach attach = run::RunRequest::Attach::No;
};

/// Resolved from the layers' bytes.
Result<ImageIds> find_image_ids(const StoredImage& image, const std::string& user,
                                const Tools& tools);

struct RunEnd {
  int status = 0;  ///< of the command: 126, 127 and 128+n as container tools have them
  std::string id;  ///< of a detached run that goes on
  UniqueFd attached;
};

/// Runs to the end, or until the command of a detached run has started. `resources` is null outside
/// a project. Needs what base/user_namespace.h gives.
///
/// Fails with InvalidInput (bad flags), NotFound (a volume's source; a layer that is gone),
/// Unsupported (a limit or a GPU that this host cannot give), Io.
Result<RunEnd> run_image(const StoredImage& image, const RunFlags& flags,
                         const spec::Resources* resources, const Tools& tools);

}  // namespace slipway::plan
