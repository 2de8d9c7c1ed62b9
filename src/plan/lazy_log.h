/// The log of the process that serves an image: what went wrong, a line each, with the time.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/reporter.h"
#include "base/unique_fd.h"

namespace slipway::plan {

/// Safe for several threads. After a thousand lines, and where the file cannot be opened, it says
/// nothing.
class LazyLog final : public Reporter {
 public:
  explicit LazyLog(const std::string& path);

  void tell(const Error& error);
  TaskId start(std::string_view, std::string_view, std::uint64_t) override { return 0; }
  void advance(TaskId, std::uint64_t) override {}
  void finish(TaskId) override {}
  void done(std::string_view line) override { write(line); }
  void note(std::string_view line) override { write(line); }
  void warn(std::string_view line) override { write(line); }

 private:
  void write(std::string_view line);

  UniqueFd fd_;
  std::atomic<int> lines_ = 0;
};

}  // namespace slipway::plan
