#include "run/id_map.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"

namespace slipway::run {
namespace {

/// A child in a new user namespace that does nothing until it is killed.
class Sleeper {
 public:
  static Result<Sleeper> start() {
    const long pid =
        ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      while (true) ::pause();
    }
    if (pid < 0) return errno_error("cannot make a user namespace");
    return Sleeper(static_cast<pid_t>(pid));
  }
  Sleeper(Sleeper&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Sleeper& operator=(Sleeper&&) = delete;
  ~Sleeper() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  std::string file(const char* name) const { return fmt::format("/proc/{}/{}", pid_, name); }

 private:
  explicit Sleeper(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

Result<void> write_map(const std::string& path, const IdSwap& swap) {
  const UniqueFd fd = TRY(open_file(path, O_WRONLY));
  const std::string text = swap_map_text(swap);
  // One write(2): the kernel takes a map once and whole.
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return errno_error("cannot map ids");
  }
  return {};
}

}  // namespace

std::string swap_map_text(const IdSwap& swap) {
  const auto [low, high] = std::minmax(swap.one, swap.other);
  std::string text;
  const auto line = [&](std::uint32_t inside, std::uint32_t outside, std::uint32_t count) {
    if (count > 0) text += fmt::format("{} {} {}\n", inside, outside, count);
  };
  // 4294967295 is no id: it means "none".
  line(0, 0, low);
  if (low == high) {
    line(low, low, 1);
  } else {
    line(low, high, 1);
    line(low + 1, low + 1, high - low - 1);
    line(high, low, 1);
  }
  line(high + 1, high + 1, UINT32_MAX - high - 1);
  return text;
}

Result<UniqueFd> make_swap_namespace(const IdSwap& users, const IdSwap& groups) {
  const Sleeper sleeper = TRY(Sleeper::start());
  TRY(write_map(sleeper.file("uid_map"), users));
  TRY(write_map(sleeper.file("gid_map"), groups));
  return open_file(sleeper.file("ns/user"), O_RDONLY);
}

Result<void> set_id_map(int mount_fd, int namespace_fd) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<unsigned>(namespace_fd);
  if (::mount_setattr(mount_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) !=
      0) {
    return errno_error("cannot change the owners of a mount");
  }
  return {};
}

}  // namespace slipway::run
