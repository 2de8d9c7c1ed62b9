// Any bytes as a run's log, and as what a container writes into one. A line that is read is one
// that could be written; what was written comes back, in lines that are no longer than promised.
#include <algorithm>
#include <string>

#include "base/file.h"
#include "run/log_file.h"
#include "run/record.h"

namespace {

using namespace slipway;
using namespace slipway::run;

constexpr std::size_t kLongestLine = 16 << 10;

const std::string& log_folder() {
  static const TemporaryFolder folder = TemporaryFolder::create("/tmp", "fuzz-log").value();
  return folder.path();
}

void check_line(std::string_view text) {
  const std::optional<LogLine> line = parse_log_line(text);
  if (!line) return;
  if (!text.ends_with(line->text)) __builtin_trap();
  const std::string again = fmt::format("{} {} {} {}", utc_time_text(line->time),
                                        line->stream == Stream::Output ? "stdout" : "stderr",
                                        line->is_part ? "P" : "F", line->text);
  const std::optional<LogLine> same = parse_log_line(again);
  if (!same || same->time != line->time || same->stream != line->stream ||
      same->is_part != line->is_part || same->text != line->text) {
    __builtin_trap();
  }
}

std::string read_back(const LogWish& wish) {
  std::string text;
  const Result<void> read = read_log(log_folder(), wish, [&](const LogLine& line) -> Result<bool> {
    if (line.text.size() > kLongestLine) __builtin_trap();
    text += line.text;
    if (!line.is_part) text += '\n';
    return true;
  });
  if (!read.ok()) __builtin_trap();
  return text;
}

/// In pieces of one size; some bytes stand for many, so that lines get long.
void check_return(std::string_view bytes, std::size_t piece) {
  const std::string path = join_path(log_folder(), "log");
  if (!remove_file(path).ok()) __builtin_trap();
  Result<LogWriter> writer = LogWriter::open(path, {}, {::geteuid(), ::getegid()});
  if (!writer.ok()) __builtin_trap();
  std::string written;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    std::string more;
    for (const char c : bytes.substr(0, piece)) more.append(c == '\x7f' ? 9000 : 1, c);
    writer->write(Stream::Output, more, UtcTime{});
    written += more;
  }
  writer->finish(UtcTime{});
  if (read_back({}) != written) __builtin_trap();
  if (!written.ends_with(read_back({.tail = 2}))) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (std::size_t begin = 0; begin <= size;) {
    const std::size_t end = std::min(text.find('\n', begin), size);
    check_line(text.substr(begin, end - begin));
    begin = end + 1;
  }
  const std::string path = join_path(log_folder(), "log");
  if (!remove_file(path).ok() || !write_scratch_file(path, text).ok()) __builtin_trap();
  for (const LogWish& wish : {LogWish{}, LogWish{.tail = 0}, LogWish{.tail = 3}}) {
    (void)read_log(log_folder(), wish, [](const LogLine&) -> Result<bool> { return true; });
  }
  if (size > 1) check_return(text.substr(1), data[0] + 1U);
  return 0;
}
