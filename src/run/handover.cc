#include "run/handover.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/io.h"

namespace slipway::run {
namespace {

using Json = nlohmann::json;

constexpr char kStarted = 'y';
constexpr char kStatus = 's';
constexpr char kError = 'n';

std::string write_error(const Error& error) {
  return Json{{"kind", static_cast<int>(error.kind)},
              {"message", error.message},
              {"because", error.because},
              {"hints", error.hints},
              {"steps", error.steps}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Error parse_error(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  Error error;
  if (!json.is_object()) return error;
  error.kind = static_cast<ErrorKind>(json.value("kind", static_cast<int>(ErrorKind::Io)));
  error.message = json.value("message", "");
  error.because = json.value("because", std::vector<std::string>{});
  error.hints = json.value("hints", std::vector<std::string>{});
  error.steps = json.value("steps", std::vector<std::string>{});
  return error;
}

/// What others left open for our parent is not for us. Ours are all close-on-exec; `kept` are
/// those of them that stay where the others go too.
void close_inherited(const std::optional<std::vector<int>>& kept) {
  const Result<std::vector<std::string>> names = list_folder("/proc/self/fd");
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    int fd = -1;
    (void)std::from_chars(name.data(), name.data() + name.size(), fd);
    const int flags = ::fcntl(fd, F_GETFD);
    const bool is_strange =
        (flags & FD_CLOEXEC) == 0 || (kept && std::ranges::find(*kept, fd) == kept->end());
    if (fd > 2 && flags >= 0 && is_strange) ::close(fd);
  }
}

}  // namespace

Result<Handover> Handover::create() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
  Handover handover;
  handover.read_end_.reset(fds[0]);
  handover.write_end_.reset(fds[1]);
  return handover;
}

void Handover::become_child() {
  read_end_.reset();
  ::setsid();
  close_inherited(std::nullopt);
  (void)::chdir("/");
}

void Handover::become_stranger(std::vector<int> kept) {
  read_end_.reset();
  ::setsid();
  kept.push_back(write_end_.get());
  close_inherited(kept);
  (void)::chdir("/");
}

void Handover::say(char what, std::string_view text) {
  if (!write_end_) return;
  FdSink sink(write_end_.get());
  (void)sink.write(as_bytes(std::string(1, what) + std::string(text)));
  write_end_.reset();
}

void Handover::say_started() {
  if (has_started_) return;
  has_started_ = true;
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {0, 1, 2}) ::dup2(null.get(), fd);
  ::malloc_trim(0);
  say(kStarted, "");
}

void Handover::say_status(int status) { say(kStatus, fmt::format("{}", status)); }

void Handover::say_error(const Error& error) { say(kError, write_error(error)); }

Result<std::optional<int>> Handover::wait(pid_t child) {
  write_end_.reset();
  FdSource source(read_end_.get());
  StringSink sink;
  TRY(copy(source, sink));
  if (sink.text.starts_with(kStarted)) return std::optional<int>();
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  const std::string_view rest = std::string_view(sink.text).substr(sink.text.empty() ? 0 : 1);
  if (sink.text.starts_with(kError)) return parse_error(rest);
  int status = 0;
  if (!sink.text.starts_with(kStatus) ||
      std::from_chars(rest.data(), rest.data() + rest.size(), status).ec != std::errc()) {
    return make_error(ErrorKind::Io, "the process that was started ended before it was ready");
  }
  return std::optional(status);
}

}  // namespace slipway::run
