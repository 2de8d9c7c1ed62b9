#include "run/prepare.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sandbox_overlay.h"
#include "base/user_namespace.h"
#include "run/bundle.h"
#include "run/driver_folder.h"
#include "run/host_places.h"
#include "run/injected.h"
#include "run/mount_places.h"
#include "run/receipt.h"
#include "run/root_check.h"
#include "run/shown_files.h"
#include "run/streams.h"
#include "run/volumes.h"

namespace slipway::run {
namespace {

void add_steps(PreparedRun& prepared, std::vector<ChildStep> steps) {
  for (ChildStep& step : steps) prepared.room.steps.push_back(std::move(step));
}

void add_mounts(PreparedMounts mounts, BundleFacts& facts, PreparedRun& prepared) {
  add_steps(prepared, std::move(mounts.steps));
  for (UniqueFd& fd : mounts.held) prepared.held.push_back(std::move(fd));
  for (BundleMount& mount : mounts.mounts) facts.mounts.push_back(std::move(mount));
}

/// What an earlier life of this run has written counts too.
std::vector<std::string> overlay_folders(const RunRequest& request, const RunRecord& record) {
  std::vector<std::string> folders{record.path("upper")};
  folders.insert(folders.end(), request.lower_folders.begin(), request.lower_folders.end());
  return folders;
}

Result<void> prepare_root(const RunRequest& request, const RunRecord& record,
                          PreparedRun& prepared) {
  const std::string root = record.live("root");
  TRY(make_folders(root));
  OverlayRequest overlay;
  overlay.lowers = request.lower_folders;
  overlay.upper = record.path("upper");
  overlay.work = record.path("work");
  overlay.links_folder = record.live("links");
  // A power cut may spoil them; a start that waits for the disk would spoil every day.
  overlay.changes = OverlayRequest::Changes::ThrownAway;
  if (request.overlay == RunRequest::OverlayPath::ShortNames) {
    overlay.names = OverlayRequest::Names::Short;
  }
  // The upper folder's mode and owner become those of the container's `/`.
  TRY(make_shown_folder(overlay.upper));
  TRY(make_folders(overlay.work, 0700));
  TRY(check_system_folders(overlay_folders(request, record)));
  PreparedOverlay mounted = TRY_WHILE("mounting the layers", prepare_overlay(overlay, root));
  add_steps(prepared, std::move(mounted.steps));
  prepared.held.push_back(std::move(mounted.mount));
  return {};
}

Result<void> check_places(const RunRequest& request, const RunRecord& record,
                          const BundleFacts& facts) {
  // Those that are empty, and small files of ours: what they may lie in does not matter.
  std::vector<std::string> harmless, mounts;
  for (const Tmpfs& one : request.tmpfs) harmless.push_back(TRY(absolute_path(one.target)));
  for (const BundleMount& one : facts.mounts) {
    const bool is_ours = one.target == "/etc/hosts" || one.target == "/etc/resolv.conf";
    (is_ours ? harmless : mounts).push_back(TRY(absolute_path(one.target)));
  }
  const std::vector<std::string> folders = overlay_folders(request, record);
  TRY(check_mount_places(folders, harmless, {}));
  return check_mount_places(folders, mounts, mounts);
}

Result<void> prepare_driver(const RunRequest& request, const RunRecord& record, BundleFacts& facts,
                            PreparedRun& prepared) {
  if (request.driver.is_empty()) return {};
  TRY(tell_loader(request, record.path("upper")));
  PreparedMounts driver = TRY_WHILE("making the driver's folder",
                                    prepare_driver_folder(request.driver, record.live("driver")));
  add_mounts(std::move(driver), facts, prepared);
  return {};
}

/// Those of CDI files.
Result<void> prepare_devices(const RunRequest& request, const RunRecord& record, BundleFacts& facts,
                             PreparedRun& prepared, Reporter& reporter) {
  if (request.injection.is_empty()) return {};
  const InjectionPlaces places{record.live("injected"), record.path("upper")};
  add_mounts(TRY(prepare_injection(request, places, facts, reporter)), facts, prepared);
  sort_mounts(facts.mounts);
  return {};
}

void prepare_runtime(const RuntimeProgram& program, const HostLimits& host,
                     const BundleFacts& facts, PreparedRun& prepared) {
  add_steps(prepared, make_runtime_steps(program, host, facts.in_user_namespace));
  // Without it the runtime does the same for itself, and takes longer.
  Result<UniqueFd> sealed = seal_runtime(program);
  if (!sealed.ok()) return;
  prepared.room.steps.push_back(make_move_mount(sealed->get(), program.path));
  prepared.held.push_back(std::move(*sealed));
}

/// Last of the steps: the runtime must find the network as it will be.
Result<void> prepare_network(const RunRequest& request, const RunRecord& record, Reporter& reporter,
                             PreparedRun& prepared) {
  if (request.network != Network::Private) return {};
  prepared.network.emplace(TRY(PrivateNetwork::prepare(request.ports, record.live(""))));
  for (const PortMap& map : prepared.network->ports()) {
    const bool is_ours_alone = map.address == kLoopback || map.address == "::1";
    reporter.note(fmt::format("port {}{}", describe_port_map(map),
                              is_ours_alone ? " (this machine only)" : ""));
  }
  prepared.room.namespaces |= CLONE_NEWNET;
  prepared.room.steps.push_back(prepared.network->make_wait_step());
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
  if (request.network == Network::Private) {
    const Result<std::string> known = read_file("/etc/resolv.conf");
    const std::string path = join_path(bundle, "resolv.conf");
    TRY(write_shown_file(path, PrivateNetwork::make_resolver_text(known.ok() ? *known : "")));
    facts.mounts.push_back({path, "/etc/resolv.conf", Access::ReadOnly});
  }
  hosts += fmt::format("127.0.0.1 {}\n", request.host_name);
  const std::string path = join_path(bundle, "hosts");
  TRY(write_shown_file(path, hosts));
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
  return BundleDevice{path, major(status.st_rdev), minor(status.st_rdev), 0666, 'c', "rw"};
}

Result<BundleDevice> read_wished_device(const DeviceWish& wish, bool in_user_namespace) {
  struct stat status {};
  if (::stat(wish.source.c_str(), &status) != 0) {
    return errno_error(fmt::format("cannot use device `{}`", wish.source));
  }
  if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode)) {
    return make_error(ErrorKind::InvalidInput, "`{}` is no device", wish.source);
  }
  if (in_user_namespace && wish.target != wish.source) {
    // No device node can be made there; the host's is bound, under its own name.
    return make_error(ErrorKind::Unsupported, "`{}` cannot be called `{}` inside", wish.source,
                      wish.target)
        .hint("leave the second name out, or run slipway as root");
  }
  return BundleDevice{wish.target,
                      major(status.st_rdev),
                      minor(status.st_rdev),
                      status.st_mode & 0777,
                      S_ISBLK(status.st_mode) ? 'b' : 'c',
                      wish.access};
}

bool is_open_to_all(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & 0006) == 0006;
}

/// A user's delegated group is there already; root's lies below the root of the tree.
Result<void> enable_below(const std::string& parent, bool in_user_namespace) {
  if (!in_user_namespace) {
    TRY(enable_controllers(kCgroupFolder));
    TRY(make_folders(kCgroupFolder + parent));
  }
  return enable_controllers(kCgroupFolder + parent);
}

Result<BundleFacts> gather_facts(const RunRequest& request, const HostLimits& host,
                                 const ResolvedLimits& limits, const RunRecord& record,
                                 Reporter& reporter) {
  BundleFacts facts;
  facts.root_path = record.live("root");
  facts.limits = limits;
  facts.in_user_namespace = in_user_namespace();
  facts.has_one_id = has_one_id();
  if (facts.has_one_id && !request.additional_gids.empty()) {
    return make_error(ErrorKind::Unsupported, "the group {} cannot be had here",
                      request.additional_gids[0])
        .reason("you have no subordinate ids, so there is one user and one group inside")
        .hint("`slipway doctor` says how to get some");
  }
  const bool wants_group = !facts.in_user_namespace || limits.memory_bytes || limits.cpus;
  if (!host.cgroup_parent.empty() && wants_group) {
    facts.cgroup_path = join_path(host.cgroup_parent, record.group_name());
    if (host.layout == CgroupLayout::V2) {
      const Result<void> enabled = enable_below(host.cgroup_parent, facts.in_user_namespace);
      if (!enabled.ok() && (limits.memory_bytes || limits.cpus)) return enabled.error();
    }
  }
  facts.most_open_files = hard_limit(RLIMIT_NOFILE);
  facts.most_locked_bytes = hard_limit(RLIMIT_MEMLOCK);
  for (const DeviceWish& wish : request.devices) {
    facts.devices.push_back(TRY(read_wished_device(wish, facts.in_user_namespace)));
  }
  for (const std::string& path : request.device_nodes) {
    facts.devices.push_back(TRY(read_device(path)));
    if (facts.in_user_namespace && !is_open_to_all(path)) {
      reporter.warn(fmt::format(
          "`{}` is not open to every user of this machine, and may be closed inside", path));
    }
  }
  return facts;
}

struct Pipe {
  UniqueFd read_end, write_end;
};

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

/// Null where there is nothing to read; a pipe where somebody may attach.
Result<void> prepare_input(const RunRequest& request, PreparedRun& prepared) {
  const bool is_piped = request.about.is_detached && request.input == Input::Ours;
  UniqueFd input;
  if (is_piped && request.terminal == Terminal::No) {
    Pipe pipe = TRY(make_pipe());
    ::fcntl(pipe.write_end.get(), F_SETFL, O_NONBLOCK);
    prepared.ports.input = std::move(pipe.write_end);
    input = std::move(pipe.read_end);
  } else if (request.input == Input::Ours && !request.about.is_detached &&
             request.terminal == Terminal::No) {
    return {};
  } else {
    input = TRY(open_null(O_RDONLY));
  }
  prepared.room.input = input.get();
  prepared.held.push_back(std::move(input));
  return {};
}

Result<void> prepare_output(int& descriptor, UniqueFd& port, PreparedRun& prepared) {
  Pipe pipe = TRY(make_pipe());
  ::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK);
  descriptor = pipe.write_end.get();
  port = std::move(pipe.read_end);
  prepared.held.push_back(std::move(pipe.write_end));
  return {};
}

Result<void> prepare_ports(const RunRequest& request, PreparedRun& prepared) {
  TRY(prepare_input(request, prepared));
  if (request.about.is_detached) {
    TRY(prepare_output(prepared.room.output, prepared.ports.output, prepared));
    TRY(prepare_output(prepared.room.error_output, prepared.ports.error_output, prepared));
  }
  return {};
}

/// A start in two steps, where something has to be done in between.
Result<void> prepare_two_steps(const RunRequest& request, const RuntimeProgram& program,
                               const RuntimeCall& call, RoomRequest::LeftBehind& left,
                               PreparedRun& prepared) {
  const bool has_terminal = request.terminal == Terminal::Yes;
  const bool is_checked = request.check == RunRequest::Check::Yes;
  if (!has_terminal && !is_checked) return {};
  prepared.room.arguments = make_create_arguments(program, call, request.terminal);
  left.start_arguments = make_start_arguments(program, call);
  Pipe go = TRY(make_pipe());
  left.go_fd = go.read_end.get();
  left.go_bytes = has_terminal && is_checked ? 2 : 1;
  prepared.held.push_back(std::move(go.read_end));
  if (is_checked) prepared.go.reset(::fcntl(go.write_end.get(), F_DUPFD_CLOEXEC, 0));
  if (has_terminal) {
    prepared.ports.console = TRY(Console::create(call.bundle_folder, std::move(go.write_end)));
  }
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
  for (const Tmpfs& tmpfs : request.tmpfs) {
    if (TRY(check_inside_path("`--tmpfs`", tmpfs.target)) != "/") continue;
    return make_error(ErrorKind::InvalidInput, "a `--tmpfs` cannot take the place of `/`");
  }
  TRY(check_injection(request));
  if (request.terminal == Terminal::Yes && !request.about.is_detached && ::isatty(0) == 0) {
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
                                const RunRecord& record, Reporter& reporter) {
  PreparedRun prepared;
  BundleFacts facts = TRY(gather_facts(request, host, limits, record, reporter));
  // Before CDI devices join them: those need not be at the same place on the host.
  const auto wished = static_cast<std::ptrdiff_t>(request.devices.size());
  prepared.gpu_nodes.assign(facts.devices.begin() + wished, facts.devices.end());
  const std::string bundle = record.live("bundle");
  TRY(make_folders(bundle, 0700));

  prepared.room.steps.push_back(make_mounts_private());
  // The runtime runs in a pid namespace of its own and looks itself up in /proc.
  prepared.room.steps.push_back(
      make_mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC));
  TRY(prepare_root(request, record, prepared));
  TRY(prepare_names(request, bundle, facts));
  PreparedMounts volumes = TRY(prepare_volumes(request, record.live("volumes"), reporter));
  add_mounts(std::move(volumes), facts, prepared);
  TRY(prepare_driver(request, record, facts, prepared));
  add_mounts(TRY(prepare_host_places(request, record.live("places"))), facts, prepared);
  TRY(prepare_devices(request, record, facts, prepared, reporter));
  TRY(check_places(request, record, facts));
  prepare_runtime(program, host, facts, prepared);
  TRY(prepare_network(request, record, reporter, prepared));
  TRY(prepare_ports(request, prepared));

  prepared.config = write_bundle_config(request, facts);
  TRY(write_scratch_file(join_path(bundle, "config.json"), prepared.config));
  const RuntimeCall call{record.live("state"), record.live("log"), bundle, record.group_name(),
                         !facts.cgroup_path.empty()};
  TRY(record.write_text("receipt.json", write_receipt({request, record.facts(), facts, program,
                                                       runtime_version(parent_path(record.folder()),
                                                                       program.path)})));
  RoomRequest::LeftBehind left{{}, join_path(bundle, "pid"), -1};
  prepared.room.arguments = make_run_arguments(program, call);
  TRY(prepare_two_steps(request, program, call, left, prepared));
  prepared.room.left_behind = std::move(left);
  prepared.group = facts.cgroup_path;
  prepared.room.working_folder = bundle;
  prepared.room.environment = runtime_environment();
  return prepared;
}

}  // namespace slipway::run
