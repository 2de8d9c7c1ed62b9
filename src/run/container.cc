#include "run/container.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/refused_namespaces.h"
#include "base/user_namespace.h"
#include "run/bundle.h"
#include "run/command_lookup.h"
#include "run/handover.h"
#include "run/life.h"
#include "run/prepare.h"
#include "run/several_gpus.h"

namespace slipway::run {
namespace {

constexpr int kCannotStart = 125;

/// What is decided before anything is made.
struct Ready {
  std::vector<RuntimeProgram> programs;
  HostLimits host;
  ResolvedLimits limits;
  std::optional<int> command_problem;
};

void say_command_problem(int status, const RunRequest& request, Reporter& reporter) {
  reporter.warn(fmt::format("`{}` {} in this image", request.command.front(),
                            status == 127 ? "was not found" : "cannot be executed"));
}

Error needs_crun() {
  return make_error(ErrorKind::Unsupported,
                    "runc cannot start a container for another user than root here")
      .reason("you have no subordinate ids, and runc wants a root in every user namespace")
      .hint("use crun, or `--user 0`, or get ids: `slipway doctor` says how");
}

Result<Ready> get_ready(const RunRequest& request, Reporter& reporter, const CancelToken& cancel) {
  TRY(cancel.check());
  TRY(check_request(request));
  Ready ready;
  const bool is_inner = has_inner_user(request, has_one_id());
  if (is_inner && request.runtime == Runtime::Runc) return needs_crun();
  ready.programs = TRY(find_runtimes(is_inner ? Runtime::Crun : request.runtime));
  ready.host = read_host_limits();
  std::vector<std::string> notes;
  ready.limits = TRY(resolve_limits(request.limits, ready.host, notes));
  for (const std::string& note : notes) reporter.note(note);
  const SeveralGpus several =
      describe_several_gpus(request, ready.limits.shm_bytes, hard_limit(RLIMIT_MEMLOCK));
  if (!several.facts.empty()) reporter.note(several.facts);
  for (const std::string& trouble : several.troubles) reporter.warn(trouble);
  // What an earlier life has written may have brought it.
  if (request.about.id.empty()) ready.command_problem = find_command_problem(request);
  if (ready.command_problem) say_command_problem(*ready.command_problem, request, reporter);
  return ready;
}

Result<RunRecord> make_record(const RunRequest& request) {
  RunFacts facts = request.about;
  facts.command = request.command;
  facts.environment = request.environment;
  facts.working_folder = request.working_folder;
  facts.uid = request.uid;
  facts.gid = request.gid;
  facts.additional_gids = request.additional_gids;
  facts.has_terminal = request.terminal == Terminal::Yes;
  facts.has_input = request.input == Input::Ours;
  const bool is_again = !facts.id.empty();
  RunRecord record =
      is_again ? TRY(RunRecord::resume(request.runs_folder, std::move(facts), request.owner))
               : TRY(RunRecord::create(request.runs_folder, std::move(facts), request.owner));
  if (!request.kept_flags.empty()) TRY(record.write_text("request.json", request.kept_flags));
  if (request.on_record) request.on_record();
  if (request.id_file.empty()) return record;
  const UniqueFd fd = TRY(open_file(request.id_file, O_WRONLY | O_CREAT | O_EXCL));
  (void)::fchown(fd.get(), request.owner.uid, request.owner.gid);
  FdSink sink(fd.get());
  TRY(sink.write(as_bytes(record.facts().id)));
  return record;
}

Error runtime_error(const RuntimeProgram& program, const LifeOutcome& outcome) {
  Error error = make_error(ErrorKind::Io, "`{}` could not start the container", program.path)
                    .reason(outcome.runtime_error);
  if (!outcome.hint.empty()) error.hints.push_back(outcome.hint);
  return error;
}

/// The status to pass on; an Error where the runtime failed.
Result<int> status_of(const LifeOutcome& outcome, const RunRequest& request,
                      const std::vector<RuntimeProgram>& programs, Reporter& reporter) {
  if (outcome.runtime_error.empty()) return outcome.status;
  if (const int status = command_problem_in(outcome.runtime_error)) {
    say_command_problem(status, request, reporter);
    return status;
  }
  return runtime_error(programs.front(), outcome);
}

/// The run is over: its record is removed, or says so.
Result<void> end_record(RunRecord& record, RunState& state) {
  if (record.facts().removes_itself) return record.remove();
  record.keep();
  state.status = RunStatus::Exited;
  state.program_pid = 0;
  (void)record.write_state(state);
  (void)record.clear_life();
  record.note_end();
  return {};
}

/// It could not be started: a new record is none, an old one says why.
void give_up(const RunRequest& request, RunRecord& record, const Result<int>& status) {
  if (request.about.id.empty()) {
    (void)record.remove();
    return;
  }
  RunState state;
  state.exit_status = status.ok() ? *status : kCannotStart;
  state.finished = utc_now();
  state.error = status.ok() ? "the command could not be run" : status.error().message;
  (void)end_record(record, state);
}

Monitor::Options monitor_options(const RunRequest& request, LogWriter* log) {
  Monitor::Options options;
  options.log = log;
  options.stop_signal = request.about.stop_signal;
  options.stop_seconds = request.about.stop_seconds;
  if (request.about.is_detached) {
    options.attendance = Monitor::Options::Attendance::Detached;
  } else if (request.terminal == Terminal::Yes) {
    options.own_input = request.input;
    options.own_output = Monitor::Options::Output::Shown;
  }
  return options;
}

/// What is mounted from here on is seen by this process and its children alone, and ends with them.
/// A user namespace brought a mount namespace along.
Result<void> leave_host_mounts() {
  if (in_user_namespace()) return {};
  if (::unshare(CLONE_NEWNS) == 0 &&
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) {
    return {};
  }
  return refused_namespaces("cannot make a mount namespace", errno);
}

/// The monitor's work, from the first life to the last. Reports to `parent` once.
Result<int> monitor_run(const RunRequest& request, Ready& ready, RunRecord& record,
                        Reporter& reporter, const CancelToken& cancel, Handover& parent,
                        UniqueFd onlooker) {
  TRY(leave_host_mounts());
  LogWriter log = TRY(LogWriter::open(record.path("log"), request.about.log, request.owner));
  Clients clients = TRY(Clients::listen(record, request.owner));
  if (onlooker) {
    clients.adopt(std::move(onlooker),
                  request.attach == RunRequest::Attach::Input ? Input::Ours : Input::Null);
  }
  Monitor monitor(std::move(clients), TRY(SignalWatch::start()), monitor_options(request, &log));
  RunState state;
  LifeRequest life{request, ready.host, ready.limits,
                   record,  monitor,    reporter,
                   cancel,  state,      [&] { parent.say_started(); }};
  BackOff back_off;
  while (true) {
    const auto began = std::chrono::steady_clock::now();
    const Result<LifeOutcome> outcome = live_once_with(life, ready.programs);
    const Result<int> status = outcome.ok() ? status_of(*outcome, request, ready.programs, reporter)
                                            : Result<int>(outcome.error());
    if (!parent.is_over()) return status;  // it has not started even once
    state.error = status.ok() ? "" : status.error().message;
    if (!status.ok()) state.exit_status = kCannotStart;
    if (!should_restart(request.about.restart,
                        {state.exit_status, state.restarts, monitor.was_stopped()})) {
      break;
    }
    monitor.tell_end(state.exit_status);
    (void)record.clear_life();
    ++state.restarts;
    state.status = RunStatus::Restarting;
    (void)record.write_state(state);
    const auto lived = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - began);
    if (!monitor.pause(back_off.next(lived))) break;
  }
  state.was_stopped = monitor.was_stopped();
  TRY(end_record(record, state));
  monitor.tell_end(state.exit_status);
  return state.exit_status;
}

struct Connection {
  UniqueFd parent, child;
};

Result<Connection> make_connection() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
    return errno_error("cannot connect to a monitor");
  }
  return Connection{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

}  // namespace

Result<int> run_container(const RunRequest& request, Reporter& reporter,
                          const CancelToken& cancel) {
  Ready ready = TRY(get_ready(request, reporter, cancel));
  if (ready.command_problem) return *ready.command_problem;
  RunRecord record = TRY(make_record(request));
  TRY(leave_host_mounts());
  Monitor monitor(TRY(Clients::listen(record, request.owner)), TRY(SignalWatch::start()),
                  monitor_options(request, nullptr));
  RunState state;
  LifeRequest life{request, ready.host, ready.limits, record, monitor, reporter, cancel, state, {}};
  const LifeOutcome outcome = TRY(live_once_with(life, ready.programs));
  const int status = TRY(status_of(outcome, request, ready.programs, reporter));
  state.was_stopped = monitor.was_stopped();
  if (outcome.has_started) TRY(end_record(record, state));
  monitor.tell_end(status);
  return status;
}

Result<DetachedStart> start_container(const RunRequest& request, Reporter& reporter,
                                      const CancelToken& cancel) {
  SLIPWAY_CHECK(request.about.is_detached);
  Ready ready = TRY(get_ready(request, reporter, cancel));
  if (ready.command_problem) return DetachedStart{"", *ready.command_problem, {}};
  RunRecord record = TRY(make_record(request));
  Handover handover = TRY(Handover::create());
  Connection connection;
  if (request.attach != RunRequest::Attach::No) connection = TRY(make_connection());
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("cannot start a monitor");
  if (pid == 0) {
    handover.become_child();
    connection.parent.reset();
    const Result<int> status = monitor_run(request, ready, record, reporter, cancel, handover,
                                           std::move(connection.child));
    if (status.ok()) {
      handover.say_status(*status);
    } else {
      handover.say_error(status.error());
    }
    // What destructors would do beyond the record is the parent's to do.
    if (!handover.has_started()) give_up(request, record, status);
    ::_exit(0);
  }
  connection.child.reset();
  const std::string id = record.facts().id;
  record.leave_to_child();
  const std::optional<int> status = TRY(handover.wait(pid));
  if (status) return DetachedStart{"", *status, {}};
  return DetachedStart{id, 0, std::move(connection.parent)};
}

}  // namespace slipway::run
