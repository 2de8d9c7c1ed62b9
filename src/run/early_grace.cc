#include "run/early_grace.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <system_error>

#include "base/file.h"
#include "run/limits.h"

namespace slipway::run {
namespace {

/// Of the first of our groups that can be opened. Takes the lines of /proc/self/cgroup as
/// cgroups(7) has them: `4:cpu,cpuacct:/a` is in a tree of that name, `0::/a` in version 2's.
UniqueFd open_own_group() {
  const Result<std::string> membership = read_file("/proc/self/cgroup");
  std::string_view rest = membership.ok() ? std::string_view(*membership) : std::string_view();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    line.remove_prefix(std::min(line.find(':') + 1, line.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view tree = line.substr(0, colon);
    if (tree.starts_with("name=")) tree.remove_prefix(5);
    const std::string path =
        fmt::format("{}/{}{}/cgroup.procs", kCgroupFolder, tree, line.substr(colon + 1));
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (fd) return fd;
  }
  return {};
}

void move_to_own_group() {
  const UniqueFd group = open_own_group();
  if (group) (void)!::write(group.get(), "0", 1);
}

}  // namespace

EarlyGrace::EarlyGrace() {
  try {
    thread_ = std::thread(move_to_own_group);
  } catch (const std::system_error&) {
    // Too many threads: then the runtime waits.
  }
}

EarlyGrace::~EarlyGrace() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace slipway::run
