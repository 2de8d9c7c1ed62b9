#include "base/open_files.h"

#include <sys/resource.h>

namespace slipway {
namespace {

rlimit limit_at_start{};  // hard of 0: it was not changed

}  // namespace

void allow_many_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlimit before = limit;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) limit_at_start = before;
}

void restore_open_files() {
  if (limit_at_start.rlim_max != 0) ::setrlimit(RLIMIT_NOFILE, &limit_at_start);
}

}  // namespace slipway
