#include "run/prepare.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/file.h"
#include "base/sandbox_overlay.h"
#include "base/user_namespace.h"
#include "run/bundle.h"
#include "run/volumes.h"

namespace slipway::run {
namespace {

std::uint64_t hard_limit(__rlimit_resource resource) {
  rlimit limit{};
  return ::getrlimit(resource, &limit) == 0 ? limit.rlim_max : 1024;
}

void add_steps(PreparedRun& prepared, std::vector<ChildStep> steps) {
  for (ChildStep& step : steps) prepared.room.steps.push_back(std::move(step));
}

Result<void> prepare_root(const RunRequest& request, const Scratch& scratch,
                          PreparedRun& prepared) {
  const std::string root = scratch.path("root");
  TRY(make_folders(root));
  OverlayRequest overlay;
  overlay.lowers = request.lower_folders;
  overlay.upper = scratch.path("upper");
  overlay.work = scratch.path("work");
  overlay.links_folder = scratch.path("links");
  overlay.changes = OverlayRequest::Changes::ThrownAway;
  if (request.overlay == RunRequest::OverlayPath::ShortNames) {
    overlay.names = OverlayRequest::Names::Short;
  }
  // The upper folder's mode and owner become those of the container's `/`.
  TRY(make_folders(overlay.upper, 0755));
  TRY(make_folders(overlay.work, 0700));
  PreparedOverlay mounted = TRY_WHILE("mounting the layers", prepare_overlay(overlay, root));
  add_steps(prepared, std::move(mounted.steps));
  prepared.held.push_back(std::move(mounted.mount));
  return {};
}

/// Name resolution: the host's where the network is the host's, plus the container's own name,
/// which torch.distributed and others look up.
Result<void> prepare_names(const RunRequest& request, const std::string& bundle,
                           BundleFacts& facts) {
  std::string hosts = "127.0.0.1 localhost\n::1 localhost\n";
  if (request.network == Network::Host) {
    const Result<std::string> known = read_file("/etc/hosts");
    if (known.ok()) hosts = *known + "\n";
    if (::access("/etc/resolv.conf", R_OK) == 0) {
      facts.mounts.push_back({"/etc/resolv.conf", "/etc/resolv.conf", Access::ReadOnly});
    }
  }
  hosts += fmt::format("127.0.0.1 {}\n", request.host_name);
  const std::string path = join_path(bundle, "hosts");
  TRY(write_scratch_file(path, hosts));
  facts.mounts.push_back({path, "/etc/hosts", Access::ReadOnly});
  return {};
}

Result<BundleDevice> read_device(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return errno_error(fmt::format("cannot use device `{}`", path));
  }
  if (!S_ISCHR(status.st_mode)) {
    return make_error(ErrorKind::InvalidInput, "`{}` is no character device", path);
  }
  // Which nodes there are decides who may use what; inside, every user may.
  return BundleDevice{path, major(status.st_rdev), minor(status.st_rdev), 0666};
}

bool is_open_to_all(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & 0006) == 0006;
}

Result<BundleFacts> gather_facts(const RunRequest& request, const HostLimits& host,
                                 const ResolvedLimits& limits, const Scratch& scratch,
                                 Reporter& reporter) {
  BundleFacts facts;
  facts.root_path = scratch.path("root");
  facts.limits = limits;
  facts.in_user_namespace = in_user_namespace();
  const bool wants_group = !facts.in_user_namespace || limits.memory_bytes || limits.cpus;
  if (!host.cgroup_parent.empty() && wants_group) {
    facts.cgroup_path = join_path(host.cgroup_parent, scratch.id());
  }
  facts.most_open_files = hard_limit(RLIMIT_NOFILE);
  facts.most_locked_bytes = hard_limit(RLIMIT_MEMLOCK);
  for (const std::string& path : request.device_nodes) {
    facts.devices.push_back(TRY(read_device(path)));
    if (facts.in_user_namespace && !is_open_to_all(path)) {
      reporter.warn(fmt::format(
          "`{}` is not open to every user of this machine, and may be closed inside", path));
    }
  }
  return facts;
}

Result<void> prepare_input(const RunRequest& request, PreparedRun& prepared) {
  prepared.room.session = RoomRequest::Session::Ours;
  if (request.input == Input::Ours && request.terminal == Terminal::No) return {};
  UniqueFd null = TRY(open_file("/dev/null", O_RDONLY));
  prepared.room.input = null.get();
  prepared.held.push_back(std::move(null));
  return {};
}

}  // namespace

Result<void> check_request(const RunRequest& request) {
  if (request.command.empty()) return make_error(ErrorKind::InvalidInput, "no command to run");
  if (request.lower_folders.empty()) return make_error(ErrorKind::InvalidInput, "no layers to run");
  (void)TRY(check_inside_path("working folder", request.working_folder));
  for (const Volume& volume : request.volumes) {
    (void)TRY(check_inside_path("volume target", volume.target));
  }
  if (request.terminal == Terminal::Yes && ::isatty(0) == 0) {
    return make_error(ErrorKind::InvalidInput, "standard input is no terminal")
        .hint("leave out `-t`");
  }
  if (::geteuid() != 0) {
    return make_error(ErrorKind::Denied, "starting a container needs root or a user namespace");
  }
  return {};
}

Result<PreparedRun> prepare_run(const RunRequest& request, const RuntimeProgram& program,
                                const HostLimits& host, const ResolvedLimits& limits,
                                const Scratch& scratch, Reporter& reporter) {
  PreparedRun prepared;
  BundleFacts facts = TRY(gather_facts(request, host, limits, scratch, reporter));
  const std::string bundle = scratch.path("bundle");
  TRY(make_folders(bundle, 0700));

  prepared.room.steps.push_back(make_mounts_private());
  // The runtime runs in a pid namespace of its own and looks itself up in /proc.
  prepared.room.steps.push_back(
      make_mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC));
  TRY(prepare_root(request, scratch, prepared));
  TRY(prepare_names(request, bundle, facts));
  PreparedVolumes volumes = TRY(prepare_volumes(request, scratch.path("volumes"), reporter));
  add_steps(prepared, std::move(volumes.steps));
  for (UniqueFd& fd : volumes.held) prepared.held.push_back(std::move(fd));
  for (BundleMount& mount : volumes.mounts) facts.mounts.push_back(std::move(mount));
  add_steps(prepared, make_runtime_steps(program, host, facts.in_user_namespace));
  TRY(prepare_input(request, prepared));

  TRY(write_scratch_file(join_path(bundle, "config.json"), write_bundle_config(request, facts)));
  const RuntimeCall call{scratch.path("state"), scratch.path("log"), bundle, scratch.id(),
                         !facts.cgroup_path.empty()};
  prepared.room.arguments = make_run_arguments(program, call);
  if (request.terminal == Terminal::Yes) {
    prepared.console.emplace(TRY(Console::create(bundle, request.input)));
    prepared.room.arguments = make_create_arguments(program, call);
    prepared.room.left_behind = {make_start_arguments(program, call), join_path(bundle, "pid"),
                                 prepared.console->go_fd()};
  }
  prepared.room.working_folder = bundle;
  prepared.room.environment = {"PATH=" + find_environment("PATH").value_or("/usr/bin:/bin") +
                               ":/usr/sbin:/sbin"};
  return prepared;
}

}  // namespace slipway::run
