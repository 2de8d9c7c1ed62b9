/// What moving a process into a control group waits for, asked for ahead of time.
///
/// Whoever writes to cgroup.procs takes the kernel's lock of all thread groups, and taking it means
/// a grace period of RCU: 5 to 25 ms in which nothing happens. The runtime does so in the middle of
/// each start. Who asks shortly after another does not wait again (kernel/rcu/sync.c). So a thread
/// of ours moves this process to where it is already, while the start is still being prepared.
#pragma once

#include <thread>

namespace slipway::run {

/// Where it cannot be had, nothing is lost. At the end of its life it waits for the thread, which
/// is done long before any container is.
class EarlyGrace {
 public:
  EarlyGrace();
  EarlyGrace(const EarlyGrace&) = delete;
  ~EarlyGrace();

 private:
  std::thread thread_;
};

}  // namespace slipway::run
