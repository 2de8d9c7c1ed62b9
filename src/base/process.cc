#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/environment.h"
#include "base/file.h"
#include "base/open_files.h"
#include "base/own_program.h"

namespace slipway {
namespace {

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

/// Feeds and drains the child until both of its outputs are closed.
Result<void> exchange(pid_t child, UniqueFd input, std::string_view text, Pipe& out, Pipe& err,
                      const ProcessOptions& options, ProcessResult& result) {
  std::array<char, 65536> buffer;
  bool asked_to_stop = false;
  while (out.read_end || err.read_end) {
    if (options.cancel && options.cancel->cancelled() && !asked_to_stop) {
      ::kill(child, SIGTERM);
      asked_to_stop = true;
    }
    std::array<pollfd, 3> polls{{{out.read_end.get(), POLLIN, 0},
                                 {err.read_end.get(), POLLIN, 0},
                                 {input.get(), POLLOUT, 0}}};
    if (::poll(polls.data(), polls.size(), 100) < 0 && errno != EINTR) {
      return errno_error("cannot wait for a program");
    }
    if (input && polls[2].revents != 0) {
      const ssize_t count = text.empty() ? 0 : ::write(input.get(), text.data(), text.size());
      if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
      if (text.empty() || (count < 0 && errno != EAGAIN && errno != EINTR)) input.reset();
    }
    const auto drain = [&](UniqueFd& fd, short events, std::string& into) {
      if (!fd || events == 0) return;
      const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
      if (count > 0) into.append(buffer.data(), static_cast<std::size_t>(count));
      if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) fd.reset();
    };
    drain(out.read_end, polls[0].revents, result.output);
    drain(err.read_end, polls[1].revents, result.error_output);
  }
  return {};
}

}  // namespace

std::vector<char*> argument_pointers(const std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (const std::string& text : strings) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

std::optional<std::string> find_program(std::string_view name) {
  if (name.find('/') != std::string_view::npos) {
    return ::access(std::string(name).c_str(), X_OK) == 0 ? std::optional(std::string(name))
                                                          : std::nullopt;
  }
  std::string path = find_environment("PATH").value_or("/usr/bin:/bin") + ":/usr/sbin:/sbin";
  const std::string carried = carried_programs_folder();
  if (!carried.empty()) path = carried + ":" + path;
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const std::string candidate = join_path(rest.substr(0, colon), name);
    if (::access(candidate.c_str(), X_OK) == 0 && !is_folder(candidate)) return candidate;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return std::nullopt;
}

void restore_for_exec() {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  restore_open_files();
}

Result<ProcessResult> run_process(const std::vector<std::string>& arguments,
                                  const ProcessOptions& options) {
  SLIPWAY_CHECK(!arguments.empty());
  const std::optional<std::string> program = find_program(arguments[0]);
  if (!program) return make_error(ErrorKind::NotFound, "`{}` is not installed", arguments[0]);

  Pipe in = TRY(make_pipe());
  Pipe out = TRY(make_pipe());
  Pipe err = TRY(make_pipe());
  const std::vector<char*> argv = argument_pointers(arguments);
  const std::vector<char*> envp =
      options.environment ? argument_pointers(*options.environment) : std::vector<char*>();

  const pid_t child = ::fork();
  if (child < 0) return errno_error("cannot start `" + arguments[0] + "`");
  if (child == 0) {
    // Only async-signal-safe calls from here to exec: other threads may hold locks.
    ::dup2(in.read_end.get(), 0);
    ::dup2(out.write_end.get(), 1);
    ::dup2(err.write_end.get(), 2);
    ::signal(SIGPIPE, SIG_DFL);
    if (!options.working_folder.empty() && ::chdir(options.working_folder.c_str()) != 0)
      ::_exit(127);
    restore_for_exec();
    ::execve(program->c_str(), argv.data(), options.environment ? envp.data() : environ);
    ::_exit(127);
  }
  in.read_end.reset();
  out.write_end.reset();
  err.write_end.reset();
  ::fcntl(in.write_end.get(), F_SETFL, O_NONBLOCK);

  ProcessResult result;
  const Result<void> exchanged =
      exchange(child, std::move(in.write_end), options.input, out, err, options, result);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!exchanged.ok()) return exchanged.error();
  if (options.cancel) TRY(options.cancel->check());
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

Result<std::string> run_for_output(const std::vector<std::string>& arguments,
                                   const ProcessOptions& options) {
  ProcessResult result = TRY(run_process(arguments, options));
  if (result.status == 0) return std::move(result.output);
  Error error = make_error(ErrorKind::Io, "`{}` ended with status {}", arguments[0], result.status);
  std::string_view said = result.error_output;
  while (said.ends_with('\n')) said.remove_suffix(1);
  const std::size_t start = said.size() > 2000 ? said.size() - 2000 : 0;
  if (!said.empty()) error.because.emplace_back(said.substr(start));
  return error;
}

}  // namespace slipway
