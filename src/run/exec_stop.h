/// Holds a process at the first instruction of the program that it becomes (ptrace(2)).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <utility>

#include "base/error.h"

namespace slipway::run {

/// The process is killed at the end of its life, and when we die, unless it was let go.
class ExecStop {
 public:
  /// Before the process calls execve(2). Fails with Denied where it may not be traced.
  static Result<ExecStop> seize(pid_t pid);
  ExecStop(ExecStop&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ExecStop& operator=(ExecStop&&) = delete;
  ~ExecStop();

  /// Blocks until it stands there. Signals that come meanwhile are delivered. Fails with
  /// Unavailable where it ends before, or needs longer.
  Result<void> wait(std::chrono::milliseconds longest);
  /// It goes on.
  void let_go();

 private:
  explicit ExecStop(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
};

}  // namespace slipway::run
