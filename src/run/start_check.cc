#include "run/start_check.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/io.h"
#include "run/container_check.h"
#include "run/cuda_trial.h"
#include "run/exec_run.h"
#include "run/exec_stop.h"
#include "run/signals.h"

namespace slipway::run {
namespace {

constexpr std::chrono::seconds kLongestStart{20};

/// One command in the container, in a child of ours: it enters namespaces and does not come back.
Result<CudaTrial> compute_inside(const LifeRequest& life, const Room& room) {
  KnownRun run;
  run.facts = life.record.facts();
  run.state = life.state;
  run.state.status = RunStatus::Running;
  run.state.room_pid = room.pid();
  run.state.room_birth = birth_of(room.pid());
  run.folder = life.record.folder();
  run.is_alive = true;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return errno_error("cannot start a process");
  if (child == 0) {
    SignalWatch::forget();
    for (const int descriptor : {1, 2}) ::dup2(write_end.get(), descriptor);
    ExecRequest request;
    request.command = cuda_trial_command();
    SilentReporter silent;
    const Result<int> status = exec_in_run(run, request, silent);
    if (!status.ok()) (void)FdSink(1).write(as_bytes(status.error().message + "\n"));
    ::_exit(status.ok() ? *status : 1);
  }
  write_end.reset();
  FdSource source(read_end.get());
  StringSink output;
  const Result<std::uint64_t> copied = copy(source, output);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  TRY(copied);
  return judge_cuda_trial(WIFEXITED(status) ? WEXITSTATUS(status) : 1, output.text);
}

Result<void> check_gpus(const LifeRequest& life, const Room& room, ContainerCheck& check) {
  if (life.request.driver.gpus.empty()) return {};
  const CudaTrial test = TRY_WHILE("testing CUDA", compute_inside(life, room));
  if (!test.could_run) {
    life.reporter.warn("CUDA was not tested: the image has no `python3`");
  } else if (test.trouble.empty()) {
    check.agreed.push_back(
        fmt::format("CUDA on {} GPU{}", test.devices, test.devices == 1 ? "" : "s"));
  } else {
    check.differences.push_back("CUDA: " + test.trouble);
  }
  return {};
}

}  // namespace

Result<void> check_before_start(LifeRequest& life, PreparedRun& prepared, const Room& created) {
  const pid_t program = pid_behind(created.program_fd());
  if (program <= 0) return make_error(ErrorKind::Io, "the container's process cannot be found");
  ExecStop stop = TRY(ExecStop::seize(program));
  (void)!::write(prepared.go.get(), "", 1);
  TRY(stop.wait(kLongestStart));
  ContainerCheck check = TRY(check_container(program, created.pid(), prepared.config));
  TRY(check_gpus(life, created, check));
  if (check.differences.empty()) {
    life.reporter.note(fmt::format("verified: {}", fmt::join(check.agreed, ", ")));
    stop.let_go();
    return {};
  }
  Error error =
      make_error(ErrorKind::Denied, "the container is not what was planned, and was not started");
  for (std::string& difference : check.differences) error.because.push_back(std::move(difference));
  return error;
}

}  // namespace slipway::run
