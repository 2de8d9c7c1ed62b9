#include "run/container.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <vector>

#include "base/file.h"
#include "run/command_lookup.h"
#include "run/console.h"
#include "run/prepare.h"
#include "run/signals.h"

namespace slipway::run {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kGrace{10};
constexpr int kPatience = 3;  // interrupts until the container is killed

/// What happens while a container lives: signals, the terminal, a request to stop.
class Attendant {
 public:
  Attendant(const Room& room, SignalWatch& signals, Console* console, const CancelToken& cancel)
      : room_(room), signals_(signals), console_(console), cancel_(cancel) {}

  /// Until the room is about to end.
  Result<void> attend() {
    while (true) {
      std::vector<pollfd> polls{{room_.report_fd(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}};
      if (console_ != nullptr) console_->add_polls(polls);
      if (::poll(polls.data(), polls.size(), 100) < 0 && errno != EINTR) {
        return errno_error("cannot wait for the container");
      }
      pass_signals_on();
      if (console_ != nullptr) TRY(console_->serve());
      if (polls[0].revents != 0) return {};
      stop_if_asked();
    }
  }

 private:
  void pass_signals_on() {
    for (SignalWatch::Event event = signals_.next(); event.number != 0; event = signals_.next()) {
      if (event.number == SIGINT || event.number == SIGTERM) ++interrupts_;
      if (console_ != nullptr && event.number == SIGWINCH) {
        console_->copy_size();
      } else if (event.to_pass_on || console_ != nullptr) {
        // With a terminal of its own, the container is in no group that ours could have told.
        room_.signal(event.number);
      }
    }
    if (interrupts_ >= kPatience) room_.kill();
  }

  void stop_if_asked() {
    if (!cancel_.cancelled()) return;
    if (!deadline_) {
      room_.signal(SIGTERM);
      deadline_ = Clock::now() + kGrace;
    }
    if (Clock::now() >= *deadline_) room_.kill();
  }

  const Room& room_;
  SignalWatch& signals_;
  Console* console_;
  const CancelToken& cancel_;
  int interrupts_ = 0;
  std::optional<Clock::time_point> deadline_;
};

/// The exit status, or an Error whose message the runtime gave.
struct Outcome {
  int status = 0;
  std::string runtime_error;
};

Result<Outcome> attempt(const RunRequest& request, const RuntimeProgram& program,
                        const HostLimits& host, const ResolvedLimits& limits, Reporter& reporter,
                        const CancelToken& cancel) {
  const Scratch scratch = TRY(Scratch::create(request.scratch_folder));
  PreparedRun prepared = TRY(prepare_run(request, program, host, limits, scratch, reporter));
  SignalWatch signals = TRY(SignalWatch::start());
  Room room = TRY(Room::start(prepared.room));
  prepared.held.clear();
  Console* console = prepared.console ? &*prepared.console : nullptr;
  if (console != nullptr) console->close_child_side();
  TRY(Attendant(room, signals, console, cancel).attend());
  const RoomEnd end = room.wait();
  if (console != nullptr) console->finish();
  if (end.kind == RoomEnd::Kind::Killed) return Outcome{128 + SIGKILL, ""};
  if (end.kind != RoomEnd::Kind::Exited) {
    return room_error(end, prepared.room).while_doing("starting the container");
  }
  Outcome outcome{end.status, ""};
  if (end.status == 0) return outcome;
  const Result<std::string> log = read_file(scratch.path("log"));
  if (log.ok()) outcome.runtime_error = parse_runtime_log(*log);
  return outcome;
}

void say_command_problem(int status, const RunRequest& request, Reporter& reporter) {
  reporter.warn(fmt::format("`{}` {} in this image", request.command.front(),
                            status == 127 ? "was not found" : "cannot be executed"));
}

Error runtime_error(const RuntimeProgram& program, std::string message) {
  return make_error(ErrorKind::Io, "`{}` could not start the container", program.path)
      .reason(std::move(message));
}

}  // namespace

Result<int> run_container(const RunRequest& request, Reporter& reporter,
                          const CancelToken& cancel) {
  TRY(cancel.check());
  TRY(check_request(request));
  const std::vector<RuntimeProgram> programs = TRY(find_runtimes(request.runtime));
  const HostLimits host = read_host_limits();
  std::vector<std::string> notes;
  const ResolvedLimits limits = TRY(resolve_limits(request.limits, host, notes));
  for (const std::string& note : notes) reporter.note(note);
  if (const std::optional<int> problem = find_command_problem(request)) {
    say_command_problem(*problem, request, reporter);
    return *problem;
  }
  for (std::size_t i = 0; i < programs.size(); ++i) {
    const Outcome outcome = TRY(attempt(request, programs[i], host, limits, reporter, cancel));
    if (outcome.runtime_error.empty()) return outcome.status;
    if (const int status = command_problem_in(outcome.runtime_error)) {
      say_command_problem(status, request, reporter);
      return status;
    }
    if (i + 1 == programs.size()) return runtime_error(programs[i], outcome.runtime_error);
    reporter.note(fmt::format("`{}` does not work here ({}): trying `{}`", programs[i].path,
                              outcome.runtime_error, programs[i + 1].path));
  }
  return make_error(ErrorKind::NotFound, "no container runtime");
}

}  // namespace slipway::run
