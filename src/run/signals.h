/// While a container runs, signals for Slipway are signals for the container.
#pragma once

#include "base/error.h"
#include "base/unique_fd.h"

namespace slipway::run {

/// Takes over the handlers of SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 and SIGWINCH for
/// its life, and puts the old ones back. One at a time in a process.
class SignalWatch {
 public:
  static Result<SignalWatch> start();
  /// In a child of fork(2): the watch of its parent is none of its own, and it may start one.
  static void forget();
  SignalWatch(SignalWatch&& other) noexcept;
  SignalWatch& operator=(SignalWatch&&) = delete;
  ~SignalWatch();

  /// Readable when there are signals.
  int fd() const { return read_end_.get(); }

  /// The next one; 0 when there is none. Does not block.
  int next();

 private:
  SignalWatch() = default;
  UniqueFd read_end_;
  UniqueFd write_end_;
  bool is_active_ = false;
};

}  // namespace slipway::run
