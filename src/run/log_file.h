/// What a detached run wrote, line by line, in files that do not grow without end.
///
/// A line of the file, as Kubernetes' runtimes write theirs:
///
///   2026-01-31T12:00:00.123Z stdout F what was written
///
/// `F`: a full line; `P`: a part of one that was longer than 16 KiB, or that has no end yet. When
/// `log` has reached its size it becomes `log.1`, that `log.2` and so on; the oldest goes.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"
#include "base/utc_time.h"
#include "run/container.h"
#include "run/run_facts.h"

namespace slipway::run {

enum class Stream { Output, ErrorOutput };

class LogWriter {
 public:
  static Result<LogWriter> open(const std::string& path, LogLimits limits, Owner owner);
  /// Never fails: a full disk must not end the container. What could not be written is counted, and
  /// said in the log once there is room again.
  void write(Stream stream, std::string_view bytes, UtcTime now);
  /// The container has ended: unfinished lines are written as they are.
  void finish(UtcTime now);

 private:
  LogWriter(std::string path, LogLimits limits, Owner owner)
      : path_(std::move(path)), limits_(limits), owner_(owner) {}
  Result<void> reopen();
  void rotate();
  void put_line(Stream stream, char mark, std::string_view text, UtcTime now);

  std::string path_;
  LogLimits limits_;
  Owner owner_;
  UniqueFd fd_;
  std::uint64_t size_ = 0;
  std::uint64_t lost_lines_ = 0;
  std::array<std::string, 2> pending_;  // by Stream
};

struct LogLine {
  UtcTime time{};
  Stream stream = Stream::Output;
  bool is_part = false;
  std::string_view text;  ///< without its end
};
/// Nothing where it is no line of a log. Pure.
std::optional<LogLine> parse_log_line(std::string_view line);

struct LogWish {
  std::optional<std::size_t> tail;  ///< lines from the end
  std::optional<UtcTime> since;
  bool follow = false;
};

/// Gives each line, oldest first, to `take`, which says whether to go on. Following ends with the
/// run: when its `lock` is free. Blocks. Fails with Io.
using TakeLine = std::function<Result<bool>(const LogLine&)>;
Result<void> read_log(const std::string& run_folder, const LogWish& wish, const TakeLine& take);

}  // namespace slipway::run
