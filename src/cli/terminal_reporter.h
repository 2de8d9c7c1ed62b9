/// The Reporter that people see, on standard error.
///
/// On a terminal the tasks in flight stand below everything else, one line each and one for the
/// total, redrawn ten times a second; lines that stay go above them. Elsewhere one plain line for
/// each task that has ended, and no control characters.
///
/// When the last task in flight has finished, nothing is left on the screen (a child may have the
/// terminal) and the thread that redraws has ended: unshare(2) enters a user namespace only from a
/// process with one thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "base/reporter.h"
#include "cli/print_error.h"
#include "cli/progress_board.h"

namespace slipway::cli {

enum class Progress { Plain, Live };

struct TerminalStyle {
  Progress progress = Progress::Plain;
  Colour colour = Colour::No;
};

/// Live on a terminal whose TERM is set and not `dumb`; coloured there unless NO_COLOR is set.
TerminalStyle read_terminal_style(int fd);

class TerminalReporter final : public Reporter {
 public:
  /// Borrows `fd`. What cannot be written is dropped: progress is no reason to fail.
  TerminalReporter(int fd, TerminalStyle style) : fd_(fd), style_(style) {}
  TerminalReporter(const TerminalReporter&) = delete;
  TerminalReporter& operator=(const TerminalReporter&) = delete;
  ~TerminalReporter() override;

  TaskId start(std::string_view verb, std::string_view name, std::uint64_t total_bytes) override;
  void advance(TaskId task, std::uint64_t bytes) override;
  void finish(TaskId task) override;
  void done(std::string_view line) override;
  void note(std::string_view line) override;
  void warn(std::string_view line) override;

  /// Takes the lines in flight off the screen for good, as before printing an error. Tasks that
  /// were not finished are forgotten.
  void clear();

 private:
  void redraw_until_stopped(const std::stop_token& stop);
  void stop_redrawing(std::unique_lock<std::mutex> lock);
  // All of these with mutex_ held.
  std::string erase();
  std::string drawing();
  void print_above(std::string_view line);
  void write_out(std::string_view text) const;

  const int fd_;
  const TerminalStyle style_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  ProgressBoard board_;
  std::size_t drawn_lines_ = 0;
  std::jthread redrawer_;
};

}  // namespace slipway::cli
