#include "run/private_network.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/file.h"
#include "base/process.h"
#include "base/user_namespace.h"

namespace slipway::run {
namespace {

// Where pasta finds the namespace, and the pipe that it tells its process id through. By
// descriptor, since it gives up the capabilities that the paths would ask for.
constexpr int kReadyFd = 8;
constexpr int kNetworkFd = 9;
constexpr std::chrono::seconds kPatience{20};
// Link-local, so no host of any network: pasta takes what is sent there to the host's name server.
constexpr std::string_view kResolver = "169.254.1.53";

struct Start {
  int pid_namespace = -1;
  int network_namespace = -1;
  int ready = -1;
  int null = -1;
  int log = -1;
  char* const* arguments = nullptr;
};

/// The child: enters the room's pid namespace, which counts for its own child, and waits for that.
/// Only async-signal-safe calls.
[[noreturn]] void run_pasta(const Start& start) {
  ::setsid();  // a Ctrl-C is the container's to answer
  if (::setns(start.pid_namespace, CLONE_NEWPID) != 0) ::_exit(125);
  const pid_t pasta = ::_Fork();
  if (pasta == 0) {
    // pasta gives up where it finds this signal ignored already.
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    ::sigaction(SIGPIPE, &standard, nullptr);
    // First out of the way: any of them may lie on another's place.
    const int null = ::fcntl(start.null, F_DUPFD_CLOEXEC, 10);
    const int log = ::fcntl(start.log, F_DUPFD_CLOEXEC, 10);
    const int ready = ::fcntl(start.ready, F_DUPFD_CLOEXEC, 10);
    const int network = ::fcntl(start.network_namespace, F_DUPFD_CLOEXEC, 10);
    ::dup2(null, 0);
    ::dup2(log, 1);
    ::dup2(log, 2);
    ::dup2(ready, kReadyFd);
    ::dup2(network, kNetworkFd);
    ::syscall(SYS_close_range, 3, kReadyFd - 1, 0);
    ::syscall(SYS_close_range, kNetworkFd + 1, ~0U, 0);
    restore_for_exec();
    char* const environment[] = {nullptr};
    ::execve(start.arguments[0], start.arguments, environment);
    ::_exit(126);
  }
  ::syscall(SYS_close_range, 0, ~0U, 0);
  int status = 0;
  while (pasta > 0 && ::waitpid(pasta, &status, 0) < 0 && errno == EINTR) {
  }
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 125);
}

/// What pasta says before it gives up, without what it says of itself anyway.
std::string last_words(const std::string& log) {
  const Result<std::string> text = read_file(log);
  std::string last;
  std::string_view rest = text.ok() ? std::string_view(*text) : std::string_view();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.empty() && line.find("syslog") == std::string_view::npos) last = line;
  }
  return last.empty() ? "it said nothing" : last;
}

Error connect_error(const std::string& log) {
  const std::string words = last_words(log);
  const bool is_alone = words.find("xternal interface") != std::string::npos;
  return make_error(ErrorKind::Unavailable, "`pasta` could not join the private network")
      .reason(words)
      .hint(is_alone ? "this host is in no network: `--network host` works without one"
                     : "`--network host` does without it");
}

}  // namespace

Result<PrivateNetwork> PrivateNetwork::prepare(std::vector<PortMap> ports, std::string folder) {
  PrivateNetwork network;
  const auto program = find_program("pasta");
  if (!program) {
    return make_error(ErrorKind::NotFound,
                      "a private network needs `pasta`, which is not installed")
        .hint("as root: `apt-get install passt`; or run with `--network host`");
  }
  network.program_ = *program;
  network.folder_ = std::move(folder);
  network.ports_ = std::move(ports);
  TRY(claim_ports(network.ports_));
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
  network.go_read_ = UniqueFd(fds[0]);
  network.go_write_ = UniqueFd(fds[1]);
  return network;
}

PrivateNetwork::PrivateNetwork(PrivateNetwork&& other) noexcept
    : program_(std::move(other.program_)),
      folder_(std::move(other.folder_)),
      ports_(std::move(other.ports_)),
      go_read_(std::move(other.go_read_)),
      go_write_(std::move(other.go_write_)),
      pasta_(std::exchange(other.pasta_, -1)) {}

PrivateNetwork::~PrivateNetwork() {
  while (pasta_ > 0 && ::waitpid(pasta_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

ChildStep PrivateNetwork::make_wait_step() const {
  ChildStep step;
  step.call = ChildStep::Call::Await;
  step.fd = go_read_.get();
  return step;
}

std::vector<std::string> PrivateNetwork::arguments() const {
  // Nothing leads in or out but what is named: pasta's own default is every port, both ways.
  std::vector<std::string> list{program_,        "--foreground",
                                "--config-net",  "--no-map-gw",
                                "--tcp-ns",      "none",
                                "--udp-ns",      "none",
                                "--pid",         fmt::format("/proc/self/fd/{}", kReadyFd),
                                "--netns",       fmt::format("/proc/self/fd/{}", kNetworkFd),
                                "--dns-forward", std::string(kResolver)};
  // Root of the machine would become `nobody`, who may not enter the namespace.
  if (!in_user_namespace()) list.insert(list.end(), {"--runas", "0"});
  bool has_tcp = false, has_udp = false;
  for (const PortMap& map : ports_) {
    const bool is_tcp = map.protocol == Protocol::Tcp;
    (is_tcp ? has_tcp : has_udp) = true;
    list.push_back(is_tcp ? "--tcp-ports" : "--udp-ports");
    list.push_back(fmt::format("{}/{}:{}", map.address, port_range_text(map.host_port, map.count),
                               port_range_text(map.container_port, map.count)));
  }
  if (!has_tcp) list.insert(list.end(), {"--tcp-ports", "none"});
  if (!has_udp) list.insert(list.end(), {"--udp-ports", "none"});
  return list;
}

Result<void> PrivateNetwork::connect(pid_t room, const CancelToken& cancel) {
  const std::string ready_path = join_path(folder_, "pasta-ready");
  const std::string log_path = join_path(folder_, "pasta-log");
  // pasta writes its process id once it is ready: into a pipe with a name, which can be waited for.
  if (::mkfifo(ready_path.c_str(), 0600) != 0 && errno != EEXIST) {
    return errno_error(fmt::format("cannot make `{}`", ready_path));
  }
  const UniqueFd ready = TRY(open_file(ready_path, O_RDWR | O_NONBLOCK));
  const UniqueFd log = TRY(open_file(log_path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  const UniqueFd null = TRY(open_file("/dev/null", O_RDWR));
  const UniqueFd pid_namespace = TRY(open_file(fmt::format("/proc/{}/ns/pid", room), O_RDONLY));
  const UniqueFd network = TRY(open_file(fmt::format("/proc/{}/ns/net", room), O_RDONLY));
  const std::vector<std::string> words = arguments();
  const std::vector<char*> list = argument_pointers(words);
  const Start start{pid_namespace.get(), network.get(), ready.get(),
                    null.get(),          log.get(),     list.data()};
  pasta_ = ::_Fork();
  if (pasta_ == 0) run_pasta(start);
  if (pasta_ < 0) return errno_error("cannot start `pasta`");

  const UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, pasta_, 0)));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  pollfd polls[2] = {{ready.get(), POLLIN, 0}, {ended.get(), POLLIN, 0}};
  while (polls[0].revents == 0 && polls[1].revents == 0) {
    TRY(cancel.check());
    if (std::chrono::steady_clock::now() > deadline) break;
    if (::poll(polls, 2, 50) < 0 && errno != EINTR) return errno_error("cannot wait for `pasta`");
  }
  if (polls[0].revents == 0) return connect_error(log_path);
  const char go = 1;
  if (::write(go_write_.get(), &go, 1) != 1) return errno_error("cannot let the container start");
  return {};
}

std::string PrivateNetwork::make_resolver_text(std::string_view host_text) {
  std::string text = fmt::format("nameserver {}\n", kResolver);
  while (!host_text.empty()) {
    const std::size_t end = std::min(host_text.find('\n'), host_text.size());
    const std::string_view line = host_text.substr(0, end);
    host_text.remove_prefix(std::min(end + 1, host_text.size()));
    if (line.starts_with("search ") || line.starts_with("options ") ||
        line.starts_with("domain ")) {
      text += fmt::format("{}\n", line);
    }
  }
  return text;
}

}  // namespace slipway::run
