#include "plan/lazy_log.h"

#include <fcntl.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/utc_time.h"

namespace slipway::plan {
namespace {

constexpr int kMostLines = 1000;

}  // namespace

LazyLog::LazyLog(const std::string& path)
    : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {}

void LazyLog::tell(const Error& error) {
  std::string line = error.message;
  for (const std::string& reason : error.because) line += "; " + reason;
  for (const std::string& step : error.steps) line += "; while " + step;
  write(line);
}

void LazyLog::write(std::string_view line) {
  if (!fd_ || lines_.fetch_add(1) >= kMostLines) return;
  FdSink sink(fd_.get());
  (void)sink.write(as_bytes(fmt::format("{} {}\n", utc_time_text(utc_now()), line)));
}

}  // namespace slipway::plan
