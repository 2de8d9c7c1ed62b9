#include "base/mapped_root.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/file.h"

namespace slipway {
namespace {

std::string read_setting(const char* name) {
  const Result<std::string> text = read_file(std::string("/proc/sys/") + name);
  return text.ok() && !text->empty() ? text->substr(0, 1) : "";
}

}  // namespace

bool is_chroot(std::string_view mountinfo) {
  if (mountinfo.empty()) return false;
  while (!mountinfo.empty()) {
    std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(line.size() + 1, mountinfo.size()));
    constexpr int kFieldsBefore = 4;
    for (int i = 0; i < kFieldsBefore; ++i)
      line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
    if (line.starts_with("/ ")) return false;
  }
  return true;
}

Error no_namespaces(std::string_view what, int error_number) {
  Error error = errno_error(what, error_number);
  error.kind = ErrorKind::Unsupported;
  if (read_setting("kernel/apparmor_restrict_unprivileged_userns") == "1") {
    error.because.emplace_back("AppArmor restricts user namespaces here (as Ubuntu 24.04 does)");
    error.hints.emplace_back(
        "as root: `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or an AppArmor profile "
        "with `userns,` for slipway, or run slipway as root");
  } else if (read_setting("kernel/unprivileged_userns_clone") == "0") {
    error.hints.emplace_back(
        "as root: `sysctl kernel.unprivileged_userns_clone=1`, or run slipway as root");
  } else if (read_setting("user/max_user_namespaces") == "0") {
    error.hints.emplace_back(
        "as root: `sysctl user.max_user_namespaces=10000`, or run slipway as root");
  } else if (const auto mounts = read_file("/proc/self/mountinfo");
             error_number == EPERM && mounts.ok() && is_chroot(*mounts)) {
    error.because.emplace_back("this is a chroot, in which the kernel allows nobody to make them");
    error.hints.emplace_back(
        "enter it as a container in place of chroot: `systemd-nspawn -D FOLDER`, or with "
        "pivot_root");
  } else {
    error.hints.emplace_back(
        "this machine, or the container that this runs in, does not allow user namespaces: run "
        "slipway as root, or as a user who may have them");
  }
  return error;
}

Result<void> become_private() {
  // Slave, not private: what the host mounts or unmounts later is seen here, not the reverse.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return no_namespaces("cannot make mounts of our own", errno);
  }
  return {};
}

Result<void> become_mapped_root() {
  if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) {
    return no_namespaces("cannot become root in the user namespace", errno);
  }
  // A change of ids makes a process undumpable, and then its /proc files belong to a root outside.
  ::prctl(PR_SET_DUMPABLE, 1);
  return become_private();
}

}  // namespace slipway
