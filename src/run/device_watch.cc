#include "run/device_watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/unique_fd.h"

namespace slipway::run {
namespace {

constexpr int kClosed = 1;

/// Version 1, then version 2.
UniqueFd open_members(const std::string& group) {
  for (const char* tree : {"/sys/fs/cgroup/devices", "/sys/fs/cgroup"}) {
    UniqueFd members(::open((tree + group + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (members) return members;
  }
  return {};
}

}  // namespace

std::string DeviceWatch::find_loss() const {
  if (devices_.empty()) return "";
  if (std::string changed = find_changed_node(); !changed.empty()) return changed;
  if (!is_closed_to_group()) return "";
  return fmt::format(
      "`{}` cannot be opened any more: the rules of the container's control group were written "
      "anew, as `systemctl daemon-reload` does",
      devices_.front().path);
}

std::string DeviceWatch::find_changed_node() const {
  for (const BundleDevice& device : devices_) {
    struct stat now {};
    if (::stat(device.path.c_str(), &now) != 0) {
      return fmt::format("`{}` is gone from this machine", device.path);
    }
    if (now.st_rdev != makedev(device.major, device.minor)) {
      return fmt::format("`{}` has another number now: the driver was loaded anew", device.path);
    }
  }
  return "";
}

bool DeviceWatch::is_closed_to_group() const {
  if (group_.empty()) return false;
  const UniqueFd members = open_members(group_);
  if (!members) return false;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::write(members.get(), "0", 1) != 1) ::_exit(0);
    const int device =
        ::open(devices_.front().path.c_str(), O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ::_exit(device < 0 && errno == EPERM ? kClosed : 0);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == kClosed;
}

}  // namespace slipway::run
