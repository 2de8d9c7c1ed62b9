#include "base/sandbox_room.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/process.h"
#include "base/refused_namespaces.h"

namespace slipway {
namespace {

constexpr std::array kForwarded{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
constexpr int kReportFd = 3;
constexpr int kGoFd = 4;

/// What the child needs, in arrays that exist before it does.
struct Prepared {
  const RoomRequest& request;
  std::vector<char*> arguments;
  std::vector<char*> start_arguments;
  std::vector<char*> environment;
  int report;
  int report_read;
  sigset_t all;
  sigset_t waited;
};

// From here to `end of the child`: only async-signal-safe calls.

[[noreturn]] void report_and_exit(int report, const RoomEnd& end) {
  (void)::send(report, &end, sizeof end, MSG_NOSIGNAL);
  ::_exit(end.kind == RoomEnd::Kind::Exited ? end.status : 125);
}

/// With a pidfd of the program, which means the same process in every pid namespace.
void report_process(int report, RoomEnd::Kind kind, pid_t program) {
  RoomEnd news{kind, 0, -1, 0};
  iovec data{&news, sizeof news};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, program, 0));
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(part), &fd, sizeof fd);
  }
  (void)::sendmsg(report, &message, MSG_NOSIGNAL);
  ::close(fd);
}

void reset_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
}

/// Leaves the standard descriptors, the report socket and the word to go.
void arrange_descriptors(const Prepared& prepared) {
  // First out of the way of 0 to 3: any of the four may lie on another's place.
  const int input = ::fcntl(prepared.request.input, F_DUPFD_CLOEXEC, 10);
  const int output = ::fcntl(prepared.request.output, F_DUPFD_CLOEXEC, 10);
  const int error_output = ::fcntl(prepared.request.error_output, F_DUPFD_CLOEXEC, 10);
  const int report = ::fcntl(prepared.report, F_DUPFD_CLOEXEC, 10);
  const bool has_go = prepared.request.left_behind && prepared.request.left_behind->go_fd >= 0;
  const int go = has_go ? ::fcntl(prepared.request.left_behind->go_fd, F_DUPFD_CLOEXEC, 10) : -1;
  ::dup2(input, 0);
  ::dup2(output, 1);
  ::dup2(error_output, 2);
  ::dup3(report, kReportFd, O_CLOEXEC);
  if (has_go) ::dup3(go, kGoFd, O_CLOEXEC);
  ::syscall(SYS_close_range, has_go ? kGoFd + 1 : kReportFd + 1, ~0U, 0);
}

/// Forks and becomes the program there.
pid_t spawn(const Prepared& prepared, const std::vector<char*>& arguments) {
  const pid_t program = ::_Fork();
  if (program > 0) return program;
  if (program == 0) {
    restore_for_exec();
    if (::chdir(prepared.request.working_folder.c_str()) == 0) {
      ::execve(arguments[0], arguments.data(), prepared.environment.data());
    }
  }
  report_and_exit(kReportFd, {RoomEnd::Kind::ExecFailed, 0, -1, errno});
}

/// 0 where there is none.
pid_t read_pid(const char* path) {
  char text[16];
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t size = fd < 0 ? 0 : ::read(fd, text, sizeof text);
  ::close(fd);
  pid_t pid = 0;
  for (ssize_t i = 0; i < size && text[i] >= '0' && text[i] <= '9'; ++i) {
    pid = pid * 10 + (text[i] - '0');
  }
  return pid;
}

/// The programs of the room, in the order in which they are waited for.
struct Programs {
  pid_t first = -1;
  pid_t starter = -1;       // of a process left behind
  pid_t left_behind = -1;   // -1: none, or not yet
  bool is_started = false;  // the starter has done its work
  int left_status = -1;     // of the process left behind, when it has ended
  sigset_t early;           // signals for it that came before it was there
};

void note_started(Programs& programs) {
  programs.is_started = true;
  for (const int number : kForwarded) {
    if (sigismember(&programs.early, number) == 1) ::kill(programs.left_behind, number);
  }
  report_process(kReportFd, RoomEnd::Kind::Started, programs.left_behind);
}

/// The first program has made its process: starts it once the word is given, unless it runs
/// already.
void take_left_behind(const Prepared& prepared, Programs& programs) {
  const RoomRequest::LeftBehind& request = *prepared.request.left_behind;
  programs.left_behind = read_pid(request.pid_file.c_str());
  if (programs.left_behind == 0) {
    report_and_exit(kReportFd, {RoomEnd::Kind::NothingLeft, 0, -1, 0});
  }
  if (request.start_arguments.empty()) return note_started(programs);
  report_process(kReportFd, RoomEnd::Kind::Created, programs.left_behind);
  char byte;
  for (int missing = request.go_bytes; missing > 0; --missing) {
    if (::read(kGoFd, &byte, 1) != 1) ::_exit(125);
  }
  programs.starter = spawn(prepared, prepared.start_arguments);
}

void note_end(const Prepared& prepared, Programs& programs, pid_t ended, int status) {
  const auto end = [&](int result) {
    report_and_exit(kReportFd, {RoomEnd::Kind::Exited, result, -1, 0});
  };
  if (ended == programs.first) {
    if (!prepared.request.left_behind || status != 0) end(status);
    take_left_behind(prepared, programs);
  } else if (ended == programs.starter) {
    if (status != 0) end(status);
    note_started(programs);
  } else if (ended == programs.left_behind) {
    programs.left_status = status;
  }
  if (programs.is_started && programs.left_status >= 0) end(programs.left_status);
}

/// A process left behind may end before we know that it is the one: until then it is not reaped.
pid_t awaited(const Prepared& prepared, const Programs& programs) {
  return prepared.request.left_behind && programs.left_behind < 0 ? programs.first : -1;
}

/// Reaps whatever ends until what counts has.
[[noreturn]] void watch(const Prepared& prepared, Programs programs) {
  while (true) {
    const int number = ::sigwaitinfo(&prepared.waited, nullptr);
    if (number > 0 && number != SIGCHLD) {
      if (!prepared.request.left_behind) {
        ::kill(programs.first, number);
      } else if (programs.is_started) {
        ::kill(programs.left_behind, number);
      } else {
        sigaddset(&programs.early, number);
      }
    }
    if (number != SIGCHLD) continue;
    int status = 0;
    while (const pid_t ended = ::waitpid(awaited(prepared, programs), &status, WNOHANG)) {
      if (ended < 0) break;
      note_end(prepared, programs, ended,
               WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
  }
}

[[noreturn]] void run_first_process(const Prepared& prepared) {
  reset_signals();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (prepared.request.place == RoomRequest::Place::Here) ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  // Slipway may have died before the line above: then no one reads what we report.
  ::close(prepared.report_read);
  pollfd alive{prepared.report, 0, 0};
  if (::poll(&alive, 1, 0) != 0) ::_exit(125);
  ::umask(022);
  // A Ctrl-C is for Slipway to pass on: here it would kill a runtime that still makes its process.
  ::setsid();
  const int failed = do_steps(prepared.request.steps);
  if (failed >= 0) {
    report_and_exit(prepared.report, {RoomEnd::Kind::StepFailed, 0, failed, errno});
  }
  arrange_descriptors(prepared);
  Programs programs;
  sigemptyset(&programs.early);
  programs.first = spawn(prepared, prepared.arguments);
  watch(prepared, programs);
}

// End of the child.

}  // namespace

Result<Room> Room::start(const RoomRequest& request) {
  SLIPWAY_CHECK(!request.arguments.empty());
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
    return errno_error("cannot make a pair of sockets");
  }
  UniqueFd report(fds[0]);
  const UniqueFd report_write(fds[1]);

  const std::vector<std::string> none;
  Prepared prepared{
      request,
      argument_pointers(request.arguments),
      argument_pointers(request.left_behind ? request.left_behind->start_arguments : none),
      argument_pointers(request.environment),
      report_write.get(),
      report.get(),
      {},
      {}};
  sigfillset(&prepared.all);
  sigemptyset(&prepared.waited);
  sigaddset(&prepared.waited, SIGCHLD);
  for (const int number : kForwarded) sigaddset(&prepared.waited, number);

  // A handler of ours must not run in the child.
  sigset_t before;
  ::pthread_sigmask(SIG_SETMASK, &prepared.all, &before);
  const unsigned long made =
      request.place == RoomRequest::Place::New ? CLONE_NEWPID | CLONE_NEWNS : 0UL;
  const unsigned long flags = request.namespaces | made | SIGCHLD;
  const long pid = ::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) run_first_process(prepared);
  const int error_number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    return refused_namespaces("cannot make namespaces for a process", error_number);
  }
  return Room(static_cast<pid_t>(pid), std::move(report));
}

Room::Room(Room&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      report_(std::move(other.report_)),
      program_(std::move(other.program_)),
      is_created_(other.is_created_),
      is_started_(other.is_started_),
      end_(other.end_) {}

Room::~Room() {
  if (pid_ < 0) return;
  kill();
  (void)wait();
}

void Room::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

bool Room::signal_program(int number) const {
  return is_started_ && program_ &&
         ::syscall(SYS_pidfd_send_signal, program_.get(), number, nullptr, 0) == 0;
}

void Room::kill() const { signal(SIGKILL); }

bool Room::receive(int flags) {
  RoomEnd news;
  iovec data{&news, sizeof news};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t count = -1;
  do {
    count = ::recvmsg(report_.get(), &message, MSG_CMSG_CLOEXEC | flags);
  } while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return true;
  if (count != sizeof news) return false;
  if (news.kind == RoomEnd::Kind::Created || news.kind == RoomEnd::Kind::Started) {
    (news.kind == RoomEnd::Kind::Created ? is_created_ : is_started_) = true;
    const cmsghdr* part = CMSG_FIRSTHDR(&message);
    if (part != nullptr && part->cmsg_type == SCM_RIGHTS) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part), sizeof fd);
      program_.reset(fd);
    }
  } else if (!end_) {
    // The first counts: after a failed exec, the end of that child is reported too.
    end_ = news;
  }
  return true;
}

Room::News Room::take_news() {
  const bool was_created = is_created_;
  const bool was_started = is_started_;
  const bool goes_on = receive(MSG_DONTWAIT);
  if (is_created_ && !was_created) return News::Created;
  if (is_started_ && !was_started) return News::Started;
  return end_ || !goes_on ? News::Ending : News::None;
}

RoomEnd Room::wait() {
  while (receive(0)) {
  }
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return end_.value_or(RoomEnd{});
}

Error room_error(const RoomEnd& end, const RoomRequest& request) {
  switch (end.kind) {
    case RoomEnd::Kind::StepFailed: {
      const ChildStep& step = request.steps[static_cast<std::size_t>(end.step)];
      // A bind may also be refused for what it binds.
      const bool is_refused = end.error_number == EPERM || end.error_number == EACCES;
      if (step.call == ChildStep::Call::Mount && !step.type.empty() && is_refused) {
        return refused_namespaces(describe_step(step), end.error_number);
      }
      return errno_error(describe_step(step), end.error_number);
    }
    case RoomEnd::Kind::ExecFailed:
      return errno_error(fmt::format("cannot run `{}`", request.arguments[0]), end.error_number);
    case RoomEnd::Kind::NothingLeft:
      return make_error(ErrorKind::Io, "`{}` says that it is done, and has started nothing",
                        request.arguments[0]);
    case RoomEnd::Kind::Killed:
    case RoomEnd::Kind::Created:
    case RoomEnd::Kind::Started:
    case RoomEnd::Kind::Exited:
      break;
  }
  return make_error(ErrorKind::Io, "`{}` was killed", request.arguments[0]);
}

}  // namespace slipway
