/// What is in flight, and the lines that show it. Knows no terminal and no clock: times are given.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/reporter.h"

namespace slipway::cli {

/// Bytes per second, smoothed over the last seconds.
class Rate {
 public:
  using Time = std::chrono::steady_clock::time_point;
  void sample(Time now, std::uint64_t bytes);
  double bytes_per_second() const { return value_; }

 private:
  std::optional<Time> last_;
  std::uint64_t last_bytes_ = 0;
  double value_ = 0;
};

class ProgressBoard {
 public:
  using Time = Rate::Time;
  using TaskId = Reporter::TaskId;

  struct Task {
    std::string verb;
    std::string name;
    std::uint64_t bytes = 0;
    std::uint64_t total_bytes = 0;  ///< 0: not known
    Time started;
    Rate rate;
  };

  TaskId start(Time now, std::string_view verb, std::string_view name, std::uint64_t total_bytes);
  void advance(TaskId id, std::uint64_t bytes);
  /// The task as it ended; nothing for an id that is not in flight.
  std::optional<Task> finish(TaskId id);
  void forget_all() { tasks_.clear(); }
  bool idle() const { return tasks_.empty(); }

  /// One line for each task that has begun to move, then for the others, as many as `height` has
  /// room for, and a last line for all of them. None is wider than `width`. Call it at each redraw:
  /// it takes the samples for the rates.
  std::vector<std::string> draw(Time now, std::size_t width, std::size_t height);

 private:
  std::string total_line(std::size_t hidden) const;

  std::map<TaskId, Task> tasks_;
  TaskId next_ = 1;
  // Since the board was last idle.
  std::size_t ended_ = 0;
  std::uint64_t ended_bytes_ = 0;
  Rate total_rate_;
};

}  // namespace slipway::cli
