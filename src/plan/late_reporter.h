/// Work whose progress is shown only from some moment on.
#pragma once

#include <map>
#include <string>

#include "base/reporter.h"
#include "base/threads.h"

namespace slipway::plan {

/// Says nothing until `show`, which then tells what is going on, with what was done until then.
class LateReporter final : public Reporter {
 public:
  explicit LateReporter(Reporter& to) : to_(to) {}
  void show();

  TaskId start(std::string_view verb, std::string_view name, std::uint64_t total_bytes) override;
  void advance(TaskId task, std::uint64_t bytes) override;
  void finish(TaskId task) override;
  void done(std::string_view line) override;
  void note(std::string_view line) override;
  void warn(std::string_view line) override;

 private:
  struct Task {
    std::string verb, name;
    std::uint64_t total_bytes = 0, done_bytes = 0;
    TaskId shown_as = 0;
  };
  struct State {
    bool is_shown = false;
    TaskId last = 0;
    std::map<TaskId, Task> tasks;
  };
  Reporter& to_;
  Guarded<State> state_;
};

}  // namespace slipway::plan
