#include "run/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <utility>

namespace slipway::run {
namespace {

constexpr std::array kWatched{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

// Handlers reach nothing but globals.
std::atomic<int> write_fd{-1};
std::array<struct sigaction, kWatched.size()> previous;

extern "C" void note_signal(int number) {
  const int saved = errno;
  const char byte = static_cast<char>(number);
  (void)!::write(write_fd.load(), &byte, 1);
  errno = saved;
}

}  // namespace

Result<SignalWatch> SignalWatch::start() {
  SLIPWAY_CHECK(write_fd.load() < 0);
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) return errno_error("cannot make a pipe");
  SignalWatch watch;
  watch.read_end_.reset(fds[0]);
  watch.write_end_.reset(fds[1]);
  watch.is_active_ = true;
  write_fd = fds[1];
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  for (std::size_t i = 0; i < kWatched.size(); ++i) ::sigaction(kWatched[i], &action, &previous[i]);
  return watch;
}

void SignalWatch::forget() {
  if (write_fd.load() < 0) return;
  for (std::size_t i = 0; i < kWatched.size(); ++i) ::sigaction(kWatched[i], &previous[i], nullptr);
  write_fd = -1;
}

SignalWatch::SignalWatch(SignalWatch&& other) noexcept
    : read_end_(std::move(other.read_end_)),
      write_end_(std::move(other.write_end_)),
      is_active_(std::exchange(other.is_active_, false)) {}

SignalWatch::~SignalWatch() {
  if (is_active_) forget();
}

int SignalWatch::next() {
  char byte = 0;
  return ::read(read_end_.get(), &byte, 1) == 1 ? byte : 0;
}

}  // namespace slipway::run
