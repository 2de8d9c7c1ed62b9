#include "run/exec_run.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/environment.h"
#include "base/file.h"
#include "base/sandbox_room.h"
#include "base/user_namespace.h"
#include "run/bundle.h"
#include "run/console.h"
#include "run/limits.h"
#include "run/monitor.h"
#include "run/record.h"
#include "run/run_name.h"
#include "run/runtime.h"
#include "run/streams.h"

namespace slipway::run {
namespace {

/// The room's namespaces: its user namespace where it is not ours, then mounts, processes, network.
Result<void> enter_room(const KnownRun& run) {
  const pid_t pid = run.state.room_pid;
  const UniqueFd room(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!room || birth_of(pid) != run.state.room_birth) {
    return make_error(ErrorKind::Denied, "the run `{}` has just ended", run.facts.name);
  }
  const bool is_other = namespace_of(pid, "user") != own_namespace("user");
  if (is_other) {
    if (::setns(room.get(), CLONE_NEWUSER) != 0) {
      return errno_error(fmt::format("cannot enter the user namespace of `{}`", run.facts.name));
    }
    if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) {
      return errno_error("cannot become root in the user namespace");
    }
  }
  // The host's network may be entered by the machine's root alone, and is ours already.
  const bool has_network = namespace_of(pid, "net") != own_namespace("net");
  const int network = has_network ? CLONE_NEWNET : 0;
  if (::setns(room.get(), CLONE_NEWNS | CLONE_NEWPID | network) != 0) {
    return errno_error(fmt::format("cannot enter the namespaces of `{}`", run.facts.name));
  }
  return {};
}

/// Whether this process may have higher hard limits than it has. Not to be asked within a room,
/// whose /proc does not know us.
enum class MayRaise { No, Yes };
MayRaise may_raise_limits() {
  return ::geteuid() == 0 && !in_user_namespace() ? MayRaise::Yes : MayRaise::No;
}

/// Those that the run was started with, which lie where only its room sees them. A runtime gives
/// one more process its own caller's. Without root nobody can have more than this process has.
Result<std::vector<ResourceLimit>> limits_of(const KnownRun& run, MayRaise may_raise) {
  static constexpr std::array<std::pair<std::string_view, int>, 15> kTypes{
      {{"AS", RLIMIT_AS},
       {"CORE", RLIMIT_CORE},
       {"CPU", RLIMIT_CPU},
       {"DATA", RLIMIT_DATA},
       {"FSIZE", RLIMIT_FSIZE},
       {"LOCKS", RLIMIT_LOCKS},
       {"MEMLOCK", RLIMIT_MEMLOCK},
       {"MSGQUEUE", RLIMIT_MSGQUEUE},
       {"NICE", RLIMIT_NICE},
       {"NOFILE", RLIMIT_NOFILE},
       {"NPROC", RLIMIT_NPROC},
       {"RSS", RLIMIT_RSS},
       {"RTPRIO", RLIMIT_RTPRIO},
       {"SIGPENDING", RLIMIT_SIGPENDING},
       {"STACK", RLIMIT_STACK}}};
  const std::string text = TRY_WHILE("reading the limits of the run",
                                     read_file(run.folder + "/live/bundle/config.json"));
  std::vector<ResourceLimit> limits = TRY(parse_bundle_limits(text));
  if (may_raise == MayRaise::Yes) return limits;
  for (ResourceLimit& limit : limits) {
    const auto* const type =
        std::ranges::find(kTypes, limit.type, &decltype(kTypes)::value_type::first);
    if (type == kTypes.end()) continue;
    limit.hard = std::min(limit.hard, hard_limit(type->second));
    limit.soft = std::min(limit.soft, limit.hard);
  }
  return limits;
}

RunRequest process_of(const KnownRun& run, const ExecRequest& request) {
  RunRequest process;
  process.command = request.command;
  process.environment = run.facts.environment;
  for (const std::string& variable : request.environment) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    std::erase_if(process.environment,
                  [&](const std::string& known) { return known.starts_with(name); });
    process.environment.push_back(variable);
  }
  process.working_folder = request.working_folder.value_or(run.facts.working_folder);
  process.uid = request.uid.value_or(run.facts.uid);
  process.gid = request.gid.value_or(run.facts.gid);
  if (!request.uid) process.additional_gids = run.facts.additional_gids;
  process.terminal = request.terminal;
  return process;
}

Result<void> check_user(const KnownRun& run, const ExecRequest& request) {
  const bool is_same = request.uid.value_or(run.facts.uid) == run.facts.uid &&
                       request.gid.value_or(run.facts.gid) == run.facts.gid;
  if (is_same || !has_one_id(fmt::format("{}", run.state.room_pid))) return {};
  return make_error(ErrorKind::Unsupported, "there is one user in `{}`: {}:{}", run.facts.name,
                    run.facts.uid, run.facts.gid)
      .reason("you have no subordinate ids")
      .hint("leave out `--user`; `slipway doctor` says how to get ids");
}

struct Prepared {
  RoomRequest room;
  Ports ports;
  std::vector<UniqueFd> held;
  std::string folder;
};

Result<Prepared> prepare(const KnownRun& run, const ExecRequest& request, MayRaise may_raise) {
  Prepared prepared;
  prepared.folder = fmt::format("{}/live/exec-{}", run.folder, hex_text(TRY(random_bytes(6))));
  TRY(make_folders(prepared.folder, 0700));
  const auto inside = [&](const char* name) { return join_path(prepared.folder, name); };
  RunRequest process = process_of(run, request);
  process.resource_limits = TRY(limits_of(run, may_raise));
  TRY(write_scratch_file(inside("process.json"), write_process(process)));
  const RuntimeProgram program{
      base_name(run.state.runtime) == "runc" ? Runtime::Runc : Runtime::Crun, run.state.runtime};
  const RuntimeCall call{join_path(run.folder, "live/state"), inside("log"), prepared.folder,
                         RunRecord::group_name_of(run.facts.id), !run.state.group.empty()};
  prepared.room.place = RoomRequest::Place::Here;
  prepared.room.left_behind = {{}, inside("pid"), -1};
  prepared.room.working_folder = prepared.folder;
  prepared.room.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                               kSealedRuntime};
  if (request.terminal == Terminal::Yes)
    prepared.ports.console = TRY(Console::create(prepared.folder, {}));
  if (request.input == Input::Null || request.terminal == Terminal::Yes) {
    UniqueFd null = TRY(open_null(O_RDONLY));
    prepared.room.input = null.get();
    prepared.held.push_back(std::move(null));
  }
  if (request.detach == ExecRequest::Detach::Yes) {
    UniqueFd null = TRY(open_null(O_WRONLY));
    prepared.room.output = prepared.room.error_output = null.get();
    prepared.held.push_back(std::move(null));
  }
  prepared.room.arguments = make_exec_arguments(
      program, call, request.terminal == Terminal::Yes ? "console" : "", "process.json");
  return prepared;
}

}  // namespace

Result<int> exec_in_run(const KnownRun& run, const ExecRequest& request, Reporter& reporter) {
  if (!run.is_alive || run.state.status != RunStatus::Running) {
    return make_error(ErrorKind::Denied, "the run `{}` is not running: it is {}", run.facts.name,
                      status_word(run.state.status));
  }
  TRY(check_user(run, request));
  // Caught before anything is entered: what goes on outside stays ours to decide.
  SignalWatch signals = TRY(SignalWatch::start());
  const MayRaise may_raise = may_raise_limits();
  TRY(enter_room(run));
  Prepared prepared = TRY(prepare(run, request, may_raise));
  const StreamOwners owners({STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO});
  Room room = TRY(Room::start(prepared.room));
  prepared.held.clear();
  Monitor::Options options;
  if (request.terminal == Terminal::Yes) {
    options.own_input = request.input;
    options.own_output = Monitor::Options::Output::Shown;
  }
  Monitor monitor(Clients::none(), std::move(signals), options);
  bool has_started = false;
  const bool leaves = request.detach == ExecRequest::Detach::Yes;
  Monitor::Occasions occasions;
  occasions.on_start = [&](const Room&) {
    has_started = true;
    if (leaves) room.kill();  // the command is not in it
  };
  TRY(monitor.attend(room, prepared.ports, {}, occasions));
  const RoomEnd end = room.wait();
  monitor.drain(prepared.ports);
  std::string said;
  const Result<std::string> log = read_file(join_path(prepared.folder, "log"));
  if (log.ok() && !has_started) said = parse_runtime_log(*log);
  (void)remove_tree(prepared.folder);
  if (leaves && has_started) return 0;
  if (end.kind == RoomEnd::Kind::Killed) return 128 + SIGKILL;
  if (end.kind != RoomEnd::Kind::Exited) return room_error(end, prepared.room);
  if (said.empty()) return end.status;
  if (const int status = command_problem_in(said)) {
    reporter.warn(fmt::format("`{}` {} in `{}`", request.command.front(),
                              status == 127 ? "was not found" : "cannot be executed",
                              run.facts.name));
    return status;
  }
  return make_error(ErrorKind::Io, "`{}` could not run the command", run.state.runtime)
      .reason(said);
}

}  // namespace slipway::run
