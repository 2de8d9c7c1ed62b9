/// A copy of this process that works beside it, and tells it things through a pipe.
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "base/unique_fd.h"

namespace slipway {

class ChildProcess {
 public:
  /// Returns twice, as fork(2) does. To be called by a process with one thread. The child is a
  /// process group of its own, so that Ctrl-C reaches the parent alone, whose it is to stop the
  /// child; a parent that dies stops it too.
  static Result<ChildProcess> fork();
  /// In the parent: stops what was not waited for, and waits.
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;

  bool is_child() const { return pid_ == 0; }
  /// In the child: the end to write to.
  UniqueFd take_pipe() { return std::move(pipe_); }

  /// In the parent: the end to read from.
  int pipe() const { return pipe_.get(); }
  /// SIGTERM.
  void stop() const;
  /// Blocks. Its exit status, or 128 + signal.
  Result<int> wait();

 private:
  ChildProcess(pid_t pid, UniqueFd pipe) : pid_(pid), pipe_(std::move(pipe)) {}
  pid_t pid_;  ///< -1: waited for
  UniqueFd pipe_;
};

}  // namespace slipway
