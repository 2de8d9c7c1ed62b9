/// Starts one container: in the foreground, attended by the calling process, or detached, with a
/// small monitor of its own.
///
/// An OCI runtime that is installed (crun, else runc) does the last step and leaves; before it, an
/// overlay over unpacked layers, the volumes and a bundle are made, all in a mount and pid
/// namespace whose first process has no threads. When its monitor (the calling process, or the
/// detached one) ends in any way, kill -9 included, that namespace ends too: nothing runs on and
/// nothing stays mounted. The run's record (record.h) stays unless it was to remove itself.
///
/// No hooks, ever: hooks are slow and have been the way out of containers (runtime.md, section 4).
/// Nothing found in the image is used as the source of a mount.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/reporter.h"
#include "base/unique_fd.h"
#include "gpu/host.h"
#include "run/injection.h"
#include "run/port_map.h"
#include "run/run_facts.h"

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

/// `Private`: a network of its own, joined to the host's by pasta; only published ports lead in.
enum class Network { Host, None, Private };
enum class Input { Null, Ours };
enum class Terminal { No, Yes };
enum class Runtime { Automatic, Crun, Runc };

/// setrlimit(2), by the kernel's name in capitals (`NOFILE`).
struct ResourceLimit {
  std::string type;
  std::uint64_t soft = 0, hard = 0;
};

/// A file system in memory.
struct Tmpfs {
  std::string target;  ///< absolute; not in /proc, /sys or /dev
  std::vector<std::string> options;
};

/// Something of the host's GPU stack at a place inside, read-only but for sockets.
struct HostPlace {
  enum class Kind { File, Folder, Socket } kind = Kind::File;
  std::string source, target;  ///< absolute
  bool operator==(const HostPlace&) const = default;
};

/// The host's GPU driver for a container, as plan knows it from gpu::HostGpus.
struct DriverFiles {
  struct Gpu {
    std::string uuid, name;
  };
  /// The image's own libcuda in place of the driver's (cuda-compat). Nothing is mounted for it.
  struct Compat {
    std::string version, folder, path;  ///< `570.86.15`; inside the image, without links
    std::string layer, on_host;         ///< diff_id; the file in the unpacked layer
  };
  std::string version;                 ///< of the driver
  std::optional<Compat> compat;        ///< where it stands in for that
  std::vector<Gpu> gpus;               ///< those that the container gets
  std::optional<gpu::PeerLink> link;   ///< the weakest between any two of them
  std::string folder;                  ///< absolute, inside; read-only, with nothing but these
  std::vector<std::string> libraries;  ///< paths of the host, put there under their own names
  std::vector<gpu::DriverLink> links;
  std::vector<Volume> programs;  ///< at places of their own
  /// What /etc/ld.so.cache shall be, so that the loader finds the folder; empty: as the image has
  /// it. The run's own copy, as if written at its start: ldconfig inside may write another.
  std::string loader_cache;
  bool is_empty() const { return libraries.empty() && programs.empty(); }
};

/// A device node of the host's, on request.
struct DeviceWish {
  std::string source, target;  ///< absolute
  std::string access = "rw";
};

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
  std::vector<PortMap> ports;  ///< with Network::Private
  Input input = Input::Null;
  Terminal terminal = Terminal::No;
  Access root = Access::ReadWrite;
  std::string init_path;  ///< PID 1 inside the image (catatonit); empty: the command
  std::vector<std::string> device_nodes;  ///< of GPUs, paths of the host
  DriverFiles driver;
  std::vector<HostPlace> host_places;
  std::vector<ResourceLimit> resource_limits;  ///< in place of ours
  std::vector<Tmpfs> tmpfs;
  std::vector<DeviceWish> devices;
  Injection injection;       ///< of CDI devices
  std::string store_folder;  ///< no volume writes there; empty: none is known
  std::string runs_folder;   ///< of the records; on a real file system: changes go there
  /// Name, image, labels, restarts, …; what the above say is filled in. With an id: the run of that
  /// id, which has ended, lives once more, and keeps its record where it cannot be started.
  RunFacts about;
  std::string kept_flags;  ///< for `request.json` in the record; empty: it has none, or has it
  std::string id_file;     ///< gets the id, where it is given; must not exist
  std::function<void()> on_record;  ///< once the record, which names the image, is there
  Runtime runtime = Runtime::Automatic;
  /// Yes: the container is compared with its bundle before its first instruction, and does not
  /// start where it differs (container_check.h); what was found is told.
  enum class Check { No, Yes } check = Check::No;
  enum class OverlayPath { Automatic, ShortNames } overlay = OverlayPath::Automatic;
  /// For a detached run: DetachedStart::attached is connected before the command starts.
  enum class Attach { No, Output, Input } attach = Attach::No;
};

/// Blocks until the container has ended, with SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2
/// and SIGWINCH passed on to it (the process's handlers are replaced meanwhile: one call at a
/// time); a third SIGINT or SIGTERM kills it, as `cancel` does after ten seconds of grace.
///
/// Returns the command's exit status, 128+n for signal n, 126 and 127 where the command could not
/// be run or found. Fails with InvalidInput (a bad volume or folder, a name that is taken),
/// NotFound (a volume's source; no runtime), Unsupported (a limit or a volume that cannot be had
/// here: the reason is given), Io.
Result<int> run_container(const RunRequest& request, Reporter& reporter, const CancelToken& cancel);

struct DetachedStart {
  std::string id;     ///< empty where the command could not be run or found
  int status = 0;     ///< 126 or 127 then
  UniqueFd attached;  ///< for attach_through
};
/// Returns once the command runs; the monitor is a process of its own session and needs nothing of
/// ours any more. No other thread may run. Fails as `run_container` does.
Result<DetachedStart> start_container(const RunRequest& request, Reporter& reporter,
                                      const CancelToken& cancel);

}  // namespace slipway::run
