#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>

#include "base/file.h"
#include "run/log_file.h"
#include "run/run_list.h"

namespace slipway::run {
namespace {

constexpr int kLongestWait = 1000;  // milliseconds; a lock's release makes no event

/// Lines of a file that grows.
class Lines {
 public:
  explicit Lines(UniqueFd fd) : fd_(std::move(fd)) {}

  /// Gives the complete lines that are there by now. False: `take` wants no more.
  Result<bool> give(const std::function<Result<bool>(std::string_view)>& take) {
    char buffer[65536];
    while (true) {
      const ssize_t count = ::read(fd_.get(), buffer, sizeof buffer);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return errno_error("cannot read a log");
      if (count == 0) return true;
      rest_.append(buffer, static_cast<std::size_t>(count));
      std::size_t begin = 0;
      for (std::size_t end; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
        if (!TRY(take(std::string_view(rest_).substr(begin, end - begin)))) return false;
      }
      rest_.erase(0, begin);
    }
  }
  bool is_file(const std::string& path) const {
    struct stat opened {
    }, named{};
    return ::fstat(fd_.get(), &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
  }

 private:
  UniqueFd fd_;
  std::string rest_;
};

/// Oldest first; the last is the one that is written to.
std::vector<std::string> log_paths(const std::string& folder) {
  std::vector<std::string> paths;
  const std::string newest = join_path(folder, "log");
  for (int number = 1; path_exists(fmt::format("{}.{}", newest, number)); ++number) {
    paths.insert(paths.begin(), fmt::format("{}.{}", newest, number));
  }
  paths.push_back(newest);
  return paths;
}

class Reader {
 public:
  Reader(std::string folder, const LogWish& wish, const TakeLine& take)
      : folder_(std::move(folder)), wish_(wish), take_(take) {}

  Result<void> read() {
    // Watching begins before reading: nothing falls between.
    UniqueFd watch;
    if (wish_.follow) {
      watch.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
      ::inotify_add_watch(watch.get(), folder_.c_str(), IN_MODIFY | IN_MOVED_TO | IN_DELETE_SELF);
    }
    for (const std::string& path : log_paths(folder_)) {
      Result<UniqueFd> fd = open_file(path, O_RDONLY);
      if (!fd.ok() && fd.error().kind == ErrorKind::NotFound) continue;
      if (!fd.ok()) return fd.error();
      lines_.emplace(std::move(*fd));
      if (!TRY(give())) return {};
    }
    if (wish_.tail) {
      keeps_all_ = true;
      for (const std::string& line : last_) {
        if (!TRY(show(line))) return {};
      }
      last_.clear();
    }
    return wish_.follow ? follow(watch.get()) : Result<void>();
  }

 private:
  Result<bool> give() {
    return lines_->give([&](std::string_view text) -> Result<bool> {
      if (!wish_.tail || keeps_all_) return show(text);
      // Parts of one line count as the line that they are.
      last_.emplace_back(text);
      while (last_.size() > *wish_.tail) last_.pop_front();
      return true;
    });
  }

  Result<bool> show(std::string_view text) {
    const std::optional<LogLine> line = parse_log_line(text);
    if (!line || (wish_.since && line->time < *wish_.since)) return true;
    return take_(*line);
  }

  Result<void> follow(int watch) {
    while (true) {
      // Asked before the last look: what was written until then is there.
      const bool goes_on = is_alive(folder_);
      if (lines_ && !TRY(give())) return {};
      if (!lines_ || !lines_->is_file(join_path(folder_, "log"))) {
        Result<UniqueFd> fd = open_file(join_path(folder_, "log"), O_RDONLY);
        if (fd.ok()) {
          lines_.emplace(std::move(*fd));
          continue;
        }
      }
      if (!goes_on) return {};
      pollfd one{watch, POLLIN, 0};
      (void)::poll(&one, 1, kLongestWait);
      char events[4096];
      while (::read(watch, events, sizeof events) > 0) {
      }
    }
  }

  std::string folder_;
  const LogWish& wish_;
  const TakeLine& take_;
  std::optional<Lines> lines_;
  std::deque<std::string> last_;
  bool keeps_all_ = false;
};

}  // namespace

std::optional<LogLine> parse_log_line(std::string_view line) {
  const auto word = [&] {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view taken = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return taken;
  };
  const Result<UtcTime> time = parse_utc_time(word());
  const std::string_view stream = word();
  const std::string_view mark = word();
  if (!time.ok() || (stream != "stdout" && stream != "stderr") || (mark != "F" && mark != "P")) {
    return std::nullopt;
  }
  return LogLine{*time, stream == "stdout" ? Stream::Output : Stream::ErrorOutput, mark == "P",
                 line};
}

Result<void> read_log(const std::string& run_folder, const LogWish& wish, const TakeLine& take) {
  return Reader(run_folder, wish, take).read();
}

}  // namespace slipway::run
