/// Threads for work that mostly waits. Internal to index.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace slipway::index {

/// Runs jobs first come, first served. Threads are started as they are needed, up to a bound.
class JobPool {
 public:
  explicit JobPool(std::size_t most_threads) : most_threads_(most_threads) {}
  JobPool(const JobPool&) = delete;
  JobPool& operator=(const JobPool&) = delete;
  ~JobPool();  ///< waits for the jobs that run, drops those that wait

  void submit(std::function<void()> job);

 private:
  void run();

  const std::size_t most_threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  std::size_t idle_ = 0;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace slipway::index
