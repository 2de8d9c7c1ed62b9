#include "cli/terminal_reporter.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "base/environment.h"
#include "base/size_text.h"
#include "cli/plain_text.h"

namespace slipway::cli {
namespace {

constexpr std::chrono::milliseconds kBetweenDrawings{100};
/// A task that moved nothing that is counted has no line of its own below that.
constexpr std::chrono::seconds kWorthALine{1};

using Clock = std::chrono::steady_clock;

struct Window {
  std::size_t width = 80;
  std::size_t height = 24;
};

/// Read anew for each drawing: windows change.
Window window_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

std::string label(std::string_view word, std::string_view code, Colour colour) {
  return colour == Colour::Yes ? fmt::format("\x1b[{}m{}:\x1b[0m ", code, word)
                               : fmt::format("{}: ", word);
}

/// "downloading torch 2.6.0: 767 MB in 12.3 s"
std::string ended_line(const ProgressBoard::Task& task) {
  const double seconds = std::chrono::duration<double>(Clock::now() - task.started).count();
  const std::string size = task.bytes > 0 ? size_text(task.bytes) + " in " : "";
  return fmt::format("{} {}: {}{:.1f} s", task.verb, task.name, size, seconds);
}

}  // namespace

TerminalStyle read_terminal_style(int fd) {
  const auto term = find_environment("TERM");
  if (::isatty(fd) != 1 || !term || *term == "dumb") return {};
  return {Progress::Live, find_environment("NO_COLOR") ? Colour::No : Colour::Yes};
}

TerminalReporter::~TerminalReporter() { clear(); }

Reporter::TaskId TerminalReporter::start(std::string_view verb, std::string_view name,
                                         std::uint64_t total_bytes) {
  const std::lock_guard lock(mutex_);
  const TaskId id = board_.start(Clock::now(), verb, name, total_bytes);
  if (style_.progress == Progress::Live && !redrawer_.joinable()) {
    // Signals go to the threads that know what to do with them.
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    redrawer_ = std::jthread([this](std::stop_token stop) { redraw_until_stopped(stop); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  return id;
}

void TerminalReporter::advance(TaskId task, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  board_.advance(task, bytes);
}

void TerminalReporter::finish(TaskId id) {
  std::unique_lock lock(mutex_);
  const auto task = board_.finish(id);
  if (!task) return;
  // One that stopped short has failed, and the error says so.
  const bool complete = task->bytes >= task->total_bytes;
  const bool tells = task->bytes > 0 || Clock::now() - task->started >= kWorthALine;
  if (style_.progress == Progress::Plain && complete && tells) write_out(ended_line(*task) + "\n");
  if (board_.idle()) stop_redrawing(std::move(lock));
}

void TerminalReporter::done(std::string_view line) {
  const std::lock_guard lock(mutex_);
  print_above(plain_text(line));
}

void TerminalReporter::note(std::string_view line) {
  const std::lock_guard lock(mutex_);
  print_above(label("note", "1;36", style_.colour) + plain_text(line));
}

void TerminalReporter::warn(std::string_view line) {
  const std::lock_guard lock(mutex_);
  print_above(label("warning", "1;33", style_.colour) + plain_text(line));
}

void TerminalReporter::clear() {
  std::unique_lock lock(mutex_);
  board_.forget_all();
  stop_redrawing(std::move(lock));
}

void TerminalReporter::stop_redrawing(std::unique_lock<std::mutex> lock) {
  write_out(erase());
  std::jthread ended = std::move(redrawer_);
  lock.unlock();
  // Its end waits for the thread, which may want the lock once more. A task that starts meanwhile
  // has a new one.
  ended.request_stop();
}

void TerminalReporter::redraw_until_stopped(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    std::string text = erase();
    text += drawing();  // after erase: both keep count of the lines on the screen
    write_out(text);
    wake_.wait_for(lock, stop, kBetweenDrawings, [] { return false; });
  }
}

std::string TerminalReporter::erase() {
  if (drawn_lines_ == 0) return {};
  // The cursor stands at the end of the last line. ECMA-48: CUU goes up, ED erases to the end.
  std::string text = "\r";
  if (drawn_lines_ > 1) text += fmt::format("\x1b[{}A", drawn_lines_ - 1);
  drawn_lines_ = 0;
  return text + "\x1b[J";
}

std::string TerminalReporter::drawing() {
  const Window window = window_of(fd_);
  // Three columns stay free, for the terminal's echo of `^C`: a line that wraps would make the way
  // up one line too short.
  const auto lines = board_.draw(Clock::now(), std::max(window.width, 4UL) - 3, window.height);
  drawn_lines_ = lines.size();
  return fmt::format("{}", fmt::join(lines, "\n"));
}

void TerminalReporter::print_above(std::string_view line) {
  std::string text = erase() + std::string(line) + "\n";
  if (style_.progress == Progress::Live) text += drawing();
  write_out(text);
}

void TerminalReporter::write_out(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t count = ::write(fd_, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace slipway::cli
