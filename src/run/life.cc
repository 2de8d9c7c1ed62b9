#include "run/life.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "run/device_watch.h"
#include "run/prepare.h"
#include "run/runtime_choice.h"
#include "run/start_check.h"
#include "run/streams.h"
#include "run/usage.h"

namespace slipway::run {

/// The number in the line `Pid:` of a pidfd's fdinfo (pidfd_open(2)).
pid_t pid_behind(int pid_fd) {
  if (pid_fd < 0) return 0;
  const Result<std::string> text = read_file(fmt::format("/proc/self/fdinfo/{}", pid_fd));
  const std::size_t at = text.ok() ? text->find("\nPid:") : std::string::npos;
  if (at == std::string::npos) return 0;
  std::string_view number = std::string_view(*text).substr(at + 5);
  number.remove_prefix(std::min(number.find_first_not_of(" \t"), number.size()));
  pid_t pid = 0;
  (void)std::from_chars(number.data(), number.data() + number.size(), pid);
  return std::max(pid, 0);
}

namespace {

void note_start(LifeRequest& life, const Room& room) {
  life.state.status = RunStatus::Running;
  life.state.started = utc_now();
  life.state.room_pid = room.pid();
  life.state.room_birth = birth_of(room.pid());
  life.state.monitor_pid = ::getpid();
  life.state.program_pid = pid_behind(room.program_fd());
  const Result<void> written = life.record.write_state(life.state);
  if (!written.ok()) life.reporter.warn(written.error().message);
  if (life.on_start) life.on_start();
}

/// Told once; it may also come back.
void note_loss(LifeRequest& life, std::string loss) {
  if (loss == life.state.loss) return;
  life.state.loss = std::move(loss);
  if (!life.state.loss.empty()) {
    life.reporter.warn(fmt::format("the run `{}` has lost its GPUs: {}", life.record.facts().name,
                                   life.state.loss));
  }
  (void)life.record.write_state(life.state);
}

}  // namespace

Result<LifeOutcome> live_once(LifeRequest& life, const RuntimeProgram& program) {
  TRY(life.record.start_life());
  PreparedRun prepared =
      TRY(prepare_run(life.request, program, life.host, life.limits, life.record, life.reporter));
  life.state.runtime = program.path;
  life.state.group = prepared.group;
  const StreamOwners owners({STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO});
  Room room = TRY(Room::start(prepared.room));
  prepared.held.clear();
  if (prepared.network) {
    TRY(prepared.network->connect(room.pid(), life.cancel));
    life.state.ports.clear();
    for (const PortMap& map : prepared.network->ports()) {
      life.state.ports.push_back(describe_port_map(map));
    }
  }
  LifeOutcome outcome;
  Monitor::Occasions occasions;
  if (prepared.go) {
    occasions.on_create = [&](const Room& created) -> Result<void> {
      return check_before_start(life, prepared, created);
    };
  }
  occasions.on_start = [&](const Room& started) {
    outcome.has_started = true;
    note_start(life, started);
  };
  const DeviceWatch watch(prepared.gpu_nodes, prepared.group);
  if (!prepared.gpu_nodes.empty()) {
    occasions.on_look = [&] { note_loss(life, watch.find_loss()); };
  }
  TRY(life.monitor.attend(room, prepared.ports, life.cancel, occasions));
  const RoomEnd end = room.wait();
  life.monitor.drain(prepared.ports);
  if (end.kind == RoomEnd::Kind::StepFailed) {
    return room_error(end, prepared.room).while_doing("starting the container");
  }
  outcome.status = end.kind == RoomEnd::Kind::Exited ? end.status : 128 + SIGKILL;
  if (!outcome.has_started && end.kind != RoomEnd::Kind::Killed) {
    outcome.runtime_error = find_runtime_error(end, prepared.room, life.record.live("log"));
  }
  life.state.out_of_memory = outcome.status == 128 + SIGKILL && ran_out_of_memory(prepared.group);
  life.state.loss.clear();
  life.state.finished = utc_now();
  life.state.exit_status = outcome.status;
  return outcome;
}

Result<LifeOutcome> live_once_with(LifeRequest& life, std::vector<RuntimeProgram>& programs) {
  const auto pass_over = [&](const std::string& refusal) {
    life.reporter.note(fmt::format("`{}` does not work here ({}): trying `{}`", programs[0].path,
                                   refusal, programs[1].path));
    programs.erase(programs.begin());
  };
  if (programs.size() > 1) {
    const std::string refusal = known_refusal(life, programs[0]);
    if (!refusal.empty()) pass_over(refusal);
  }
  LifeOutcome outcome = TRY(live_once(life, programs.front()));
  if (programs.size() == 1 || outcome.runtime_error.empty() ||
      command_problem_in(outcome.runtime_error) != 0) {
    return outcome;
  }
  const Result<Refusal> refusal = find_refusal(life, programs);
  if (refusal.ok() && refusal->message.empty()) {
    outcome.hint = fmt::format(
        "`{}` works on this machine, so the image or an option is the cause; `--runtime {}` tries "
        "the other one",
        programs[0].path, name_of(programs[1].kind));
  }
  if (!refusal.ok() || !refusal->other_works) return outcome;
  pass_over(refusal->message);
  return live_once(life, programs.front());
}

}  // namespace slipway::run
