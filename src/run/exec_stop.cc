#include "run/exec_stop.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
#include <thread>

namespace slipway::run {
namespace {

constexpr std::chrono::microseconds kBetweenLooks{200};

Error ended_early() {
  return make_error(ErrorKind::Unavailable, "the container ended before its command started");
}

}  // namespace

Result<ExecStop> ExecStop::seize(pid_t pid) {
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) == 0)
    return ExecStop(pid);
  return make_error(ErrorKind::Denied, "the container's process cannot be held for the check")
      .reason(errno_error("ptrace", errno).message);
}

ExecStop::~ExecStop() {
  if (pid_ <= 0) return;
  // Nobody has waited for its end: the number is still its own. Its parent learns of the end only
  // once its tracer has.
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {
  }
}

void ExecStop::let_go() {
  if (pid_ > 0) ::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr);
  pid_ = -1;
}

Result<void> ExecStop::wait(std::chrono::milliseconds longest) {
  const auto until = std::chrono::steady_clock::now() + longest;
  while (std::chrono::steady_clock::now() < until) {
    int status = 0;
    const pid_t changed = ::waitpid(pid_, &status, __WALL | WNOHANG);
    if (changed < 0 && errno != EINTR) return ended_early();
    if (changed <= 0) {
      std::this_thread::sleep_for(kBetweenLooks);
      continue;
    }
    if (!WIFSTOPPED(status)) {
      pid_ = -1;
      return ended_early();
    }
    const int event = status >> 16;
    if (event == PTRACE_EVENT_EXEC) return {};
    // A stop of the whole group comes as an event too; what is left is a signal on its way.
    const int signal = event == 0 ? WSTOPSIG(status) : 0;
    ::ptrace(PTRACE_CONT, pid_, nullptr, signal);
  }
  return make_error(ErrorKind::Unavailable, "the container's command does not start");
}

}  // namespace slipway::run
