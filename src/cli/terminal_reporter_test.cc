#include "cli/terminal_reporter.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "base/file.h"
#include "base/unique_fd.h"

using namespace slipway;
using namespace slipway::cli;

namespace {

struct Ends {
  UniqueFd reader;
  UniqueFd writer;
};

Ends make_pipe() {
  int fds[2];
  REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Ends make_terminal() {
  Ends ends{UniqueFd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), {}};
  REQUIRE(ends.reader.get() >= 0);
  REQUIRE(::grantpt(ends.reader.get()) == 0);
  REQUIRE(::unlockpt(ends.reader.get()) == 0);
  ends.writer = UniqueFd(::open(::ptsname(ends.reader.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(ends.writer.get() >= 0);
  const winsize size{10, 60, 0, 0};
  REQUIRE(::ioctl(ends.writer.get(), TIOCSWINSZ, &size) == 0);
  return ends;
}

/// Blocks until `what` has come, or the writer is closed.
std::string read_until(int fd, std::string_view what) {
  std::string text;
  std::array<char, 4096> buffer;
  while (text.find(what) == std::string::npos) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

std::size_t threads_of_this_process() { return list_folder("/proc/self/task")->size(); }

}  // namespace

TEST_CASE("elsewhere: a plain line for what has ended, and no control characters") {
  Ends ends = make_pipe();
  CHECK(read_terminal_style(ends.writer.get()).progress == Progress::Plain);
  {
    TerminalReporter reporter(ends.writer.get(), {});
    const auto torch = reporter.start("downloading", "torch\x1b 2.6.0", 1000);
    const auto failed = reporter.start("downloading", "numpy", 1000);
    reporter.advance(torch, 400);
    reporter.advance(torch, 600);
    reporter.advance(failed, 1);
    reporter.note("a note");
    reporter.finish(torch);
    reporter.finish(failed);
    reporter.finish(failed);
    reporter.warn("a\nwarning");
    reporter.done("wrote `slipway.lock`");
  }
  ends.writer.reset();
  const std::string text = read_until(ends.reader.get(), "no such text");
  CHECK_MESSAGE(text.starts_with("note: a note\ndownloading torch? 2.6.0: 1.0 kB in "), text);
  CHECK_MESSAGE(text.ends_with(" s\nwarning: a warning\nwrote `slipway.lock`\n"), text);
  CHECK(text.find("numpy") == std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\r') == std::string::npos);
}

TEST_CASE("on a terminal: lines in flight below, lines that stay above, nothing left at the end") {
  Ends ends = make_terminal();
  TerminalReporter reporter(ends.writer.get(), {Progress::Live, Colour::Yes});
  const std::size_t threads_before = threads_of_this_process();  // a sanitizer may have its own
  const auto torch = reporter.start("downloading", "torch", 1000);
  reporter.advance(torch, 500);
  CHECK(read_until(ends.reader.get(), "50 %").find("downloading torch") != std::string::npos);

  // Erased, the line, and the block again below it.
  reporter.warn("careful");
  std::string text = read_until(ends.reader.get(), "500 B");
  const std::size_t erased = text.rfind("\r\x1b[J\x1b[1;33mwarning:\x1b[0m careful\r\n");
  REQUIRE_MESSAGE(erased != std::string::npos, text);
  CHECK(text.find("downloading torch", erased) != std::string::npos);

  reporter.finish(torch);
  CHECK(threads_of_this_process() == threads_before);
  reporter.done("end");
  text = read_until(ends.reader.get(), "end\r\n");
  CHECK_MESSAGE(text.ends_with("\r\x1b[Jend\r\n"), text);
}

TEST_CASE("many threads may report at once") {
  Ends ends = make_terminal();
  TerminalReporter reporter(ends.writer.get(), {Progress::Live, Colour::No});
  std::thread drain([&] { read_until(ends.reader.get(), "all done"); });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) {
        const auto task = reporter.start("laying", "x", 10);
        reporter.advance(task, 10);
        reporter.finish(task);
        if (j % 50 == 0) reporter.done("line");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  reporter.done("all done");
  drain.join();
}
