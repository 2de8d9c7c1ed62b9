/// Opens of files whose contents have not come yet. A process that is killed meanwhile does not
/// wait for them: the kernel lets it go only when its request is answered.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>

namespace slipway::lazy {

/// A SIGKILL is on its way to this thread, or to the process that it is of: proc_pid_status(5).
/// What is not there, or cannot be seen from here (0), is not being killed.
bool is_being_killed(pid_t thread);

/// All calls are safe from any thread.
class PendingOpens {
 public:
  using Id = std::uint64_t;
  using GiveUp = std::function<void()>;

  /// Looks every `pause` whether somebody `is_killed`, while there is somebody.
  explicit PendingOpens(std::function<bool(pid_t)> is_killed = is_being_killed,
                        std::chrono::milliseconds pause = std::chrono::milliseconds(200));

  /// `thread` waits from now on. `give_up` answers it, on another thread, if it is killed before
  /// the open is settled.
  Id add(pid_t thread, GiveUp give_up);
  /// Whether it is still to be answered; from now on that is the caller's.
  bool settle(Id open);

 private:
  struct Open {
    pid_t thread;
    GiveUp give_up;
  };
  void watch(const std::stop_token& stop);

  const std::function<bool(pid_t)> is_killed_;
  const std::chrono::milliseconds pause_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<Id, Open> opens_;
  Id next_ = 0;
  std::jthread watcher_;  // last: it ends before what it uses
};

}  // namespace slipway::lazy
