/// While a container runs, signals for Slipway are signals for the container.
#pragma once

#include "base/error.h"
#include "base/unique_fd.h"

namespace slipway::run {

/// Takes over the handlers of SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 and SIGWINCH for
/// its life, and puts the old ones back. One at a time in a process. What the terminal sends goes
/// to the whole foreground group, the container's runtime included, and is not reported twice.
class SignalWatch {
 public:
  static Result<SignalWatch> start();
  SignalWatch(SignalWatch&& other) noexcept;
  SignalWatch& operator=(SignalWatch&&) = delete;
  ~SignalWatch();

  /// Readable when there are signals.
  int fd() const { return read_end_.get(); }

  struct Event {
    int number = 0;
    bool to_pass_on = false;  ///< false: the terminal has told the container itself
  };
  /// The next one; number 0 when there is none. Does not block.
  Event next();

 private:
  SignalWatch() = default;
  UniqueFd read_end_;
  UniqueFd write_end_;
  bool is_active_ = false;
};

}  // namespace slipway::run
