#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "run/log_file.h"

namespace slipway::run {
namespace {

constexpr std::size_t kLongestLine = 16 << 10;

std::string_view word_of(Stream stream) { return stream == Stream::Output ? "stdout" : "stderr"; }

}  // namespace

Result<LogWriter> LogWriter::open(const std::string& path, LogLimits limits, Owner owner) {
  LogWriter writer(path, limits, owner);
  TRY(writer.reopen());
  return writer;
}

Result<void> LogWriter::reopen() {
  fd_ = TRY(open_file(path_, O_WRONLY | O_CREAT | O_APPEND, 0600));
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return errno_error("cannot look at a log");
  size_ = static_cast<std::uint64_t>(status.st_size);
  if (owner_.uid != ::geteuid() && ::fchown(fd_.get(), owner_.uid, owner_.gid) != 0) {
    return errno_error(fmt::format("cannot change the owner of `{}`", path_));
  }
  return {};
}

void LogWriter::rotate() {
  const auto numbered = [&](int number) { return fmt::format("{}.{}", path_, number); };
  for (int number = limits_.most_files - 1; number > 1; --number) {
    ::rename(numbered(number - 1).c_str(), numbered(number).c_str());
  }
  if (limits_.most_files > 1) {
    ::rename(path_.c_str(), numbered(1).c_str());
  } else {
    ::unlink(path_.c_str());
  }
  (void)reopen();
}

void LogWriter::put_line(Stream stream, char mark, std::string_view text, UtcTime now) {
  if (size_ >= limits_.most_bytes) rotate();
  std::string line;
  if (lost_lines_ > 0) {
    line = fmt::format("{} stderr F slipway: {} lines could not be written here\n",
                       utc_time_text(now), lost_lines_);
  }
  line += fmt::format("{} {} {} {}\n", utc_time_text(now), word_of(stream), mark, text);
  // One write(2): readers see whole lines.
  const ssize_t count = ::write(fd_.get(), line.data(), line.size());
  if (count == static_cast<ssize_t>(line.size())) {
    size_ += line.size();
    lost_lines_ = 0;
    return;
  }
  if (count > 0 && ::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0)
    size_ += static_cast<std::uint64_t>(count);
  ++lost_lines_;
}

void LogWriter::write(Stream stream, std::string_view bytes, UtcTime now) {
  std::string& pending = pending_[static_cast<std::size_t>(stream)];
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      pending += bytes;
      while (pending.size() >= kLongestLine) {
        put_line(stream, 'P', std::string_view(pending).substr(0, kLongestLine), now);
        pending.erase(0, kLongestLine);
      }
      return;
    }
    std::string_view line = bytes.substr(0, end);
    if (!pending.empty()) {
      pending += line;
      line = pending;
    }
    for (; line.size() > kLongestLine; line.remove_prefix(kLongestLine)) {
      put_line(stream, 'P', line.substr(0, kLongestLine), now);
    }
    put_line(stream, 'F', line, now);
    pending.clear();
    bytes.remove_prefix(end + 1);
  }
  if (pending.empty()) pending.shrink_to_fit();
}

void LogWriter::finish(UtcTime now) {
  for (const Stream stream : {Stream::Output, Stream::ErrorOutput}) {
    std::string& pending = pending_[static_cast<std::size_t>(stream)];
    if (!pending.empty()) put_line(stream, 'P', pending, now);
    pending.clear();
  }
}

}  // namespace slipway::run
