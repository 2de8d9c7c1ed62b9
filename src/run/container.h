/// Starts one container and waits for it.
///
/// An OCI runtime that is installed (crun, else runc) does the last step; before it, an overlay
/// over unpacked layers, the volumes and a bundle are made, all in a mount and pid namespace whose
/// first process has no threads. When Slipway ends in any way, kill -9 included, that namespace
/// ends too: nothing runs on and nothing stays mounted. What is left of a killed run in
/// `scratch_folder` is removed by the next.
///
/// No hooks, ever: hooks are slow and have been the way out of containers (runtime.md, section 4).
/// Nothing found in the image is used as the source of a mount.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/reporter.h"

namespace slipway::run {

enum class Access { ReadWrite, ReadOnly };

/// A folder or a file of the host inside the container.
struct Volume {
  std::string source;  ///< absolute; must exist
  std::string target;  ///< absolute; not in /proc, /sys or /dev
  Access access = Access::ReadWrite;
};

/// How a limit is meant: `Exact` is refused where it cannot be enforced, a `Ceiling` is lowered to
/// what the machine has, or left out, with one note.
enum class Strictness { Exact, Ceiling };

template <typename T>
struct Limit {
  T value{};
  Strictness strictness = Strictness::Exact;
};

struct Limits {
  std::optional<Limit<std::uint64_t>> memory_bytes;  ///< memory and swap together
  std::optional<Limit<double>> cpus;
  std::optional<Limit<std::uint64_t>> shm_bytes;  ///< size of /dev/shm; default 8 GiB or half of
                                                  ///< the memory, whichever is less
};

enum class Network { Host, None };
enum class Input { Null, Ours };
enum class Terminal { No, Yes };
enum class Runtime { Automatic, Crun, Runc };

/// Whose the caller's files are. Only the identity of the caller as seen from this process matters:
/// 0:0 as root, NamespaceInfo::owner_* in a user namespace.
struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
};

struct RunRequest {
  std::vector<std::string> lower_folders;  ///< unpacked layers, top first
  std::vector<std::string> command;        ///< entrypoint and arguments
  std::vector<std::string> environment;    ///< `NAME=value`, exactly
  std::string working_folder = "/";        ///< made when it is missing
  uid_t uid = 1000;                        ///< as numbers: names are resolved from verified bytes
  gid_t gid = 1000;
  std::vector<gid_t> additional_gids;
  std::string host_name = "slipway";
  std::vector<Volume> volumes;
  Owner owner;
  Limits limits;
  Network network = Network::Host;
  Input input = Input::Null;
  Terminal terminal = Terminal::No;
  Access root = Access::ReadWrite;  ///< changes to the image's tree are thrown away afterwards
  std::string init_path;            ///< PID 1 inside the image (catatonit); empty: the command
  /// GPUs, as plan knows them from gpu::HostGpus: nodes under /dev, and the driver's libraries.
  std::vector<std::string> device_nodes;
  std::vector<Volume> driver_binds;
  std::string scratch_folder;  ///< private to us, on a real file system: changes go there
  Runtime runtime = Runtime::Automatic;
  enum class OverlayPath { Automatic, ShortNames } overlay = OverlayPath::Automatic;
};

/// Blocks until the container has ended, with SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2
/// and SIGWINCH passed on to it (the process's handlers are replaced meanwhile: one call at a
/// time); a second SIGINT or SIGTERM kills it, as `cancel` does after ten seconds of grace.
///
/// Returns the command's exit status, 128+n for signal n, 126 and 127 where the command could not
/// be run or found. Fails with InvalidInput (a bad volume or folder), NotFound (a volume's source;
/// no runtime), Unsupported (a limit or a volume that cannot be had here: the reason is given), Io.
Result<int> run_container(const RunRequest& request, Reporter& reporter, const CancelToken& cancel);

}  // namespace slipway::run
