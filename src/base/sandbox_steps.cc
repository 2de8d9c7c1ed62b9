#include "base/sandbox_steps.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/attach_beneath.h"

namespace slipway {
namespace {

int make_file(const char* path) {
  const int fd = ::open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
  if (fd >= 0) return ::close(fd);
  return errno == EISDIR ? 0 : -1;
}

int raise_loopback() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const int result = ::ioctl(fd, SIOCSIFFLAGS, &request);
  ::close(fd);
  return result;
}

int await(int fd) {
  char byte = 0;
  while (true) {
    const ssize_t count = ::read(fd, &byte, 1);
    if (count == 1) return 0;
    if (count == 0) errno = EPIPE;
    if (count == 0 || errno != EINTR) return -1;
  }
}

int fine_when_there(int result) { return result != 0 && errno == EEXIST ? 0 : result; }

const char* text_or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

int do_step(const ChildStep& step) {
  const char* path = step.path.c_str();
  switch (step.call) {
    case ChildStep::Call::MakeFolder:
      return fine_when_there(::mkdir(path, 0755));
    case ChildStep::Call::MakeFile:
      return make_file(path);
    case ChildStep::Call::MakeLink:
      return fine_when_there(::symlink(step.source.c_str(), path));
    case ChildStep::Call::Mount:
      return ::mount(text_or_null(step.source), path, text_or_null(step.type), step.flags,
                     text_or_null(step.data));
    case ChildStep::Call::MoveMount:
      return ::move_mount(step.fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
    case ChildStep::Call::AttachBeneath:
      return attach_beneath(step.fd, path, step.source.c_str(), static_cast<mode_t>(step.flags));
    case ChildStep::Call::Unmount:
      return ::umount2(path, static_cast<int>(step.flags));
    case ChildStep::Call::ChangeFolder:
      return ::chdir(path);
    case ChildStep::Call::PivotHere:
      return static_cast<int>(::syscall(SYS_pivot_root, ".", "."));
    case ChildStep::Call::SetHostName:
      return ::sethostname(step.source.c_str(), step.source.size());
    case ChildStep::Call::RaiseLoopback:
      return raise_loopback();
    case ChildStep::Call::Await:
      return await(step.fd);
  }
  return -1;
}

Result<UniqueFd> copy_tree(int folder, const char* name, unsigned flags, const std::string& path,
                           Submounts submounts) {
  if (submounts == Submounts::With) flags |= AT_RECURSIVE;
  const int fd = ::open_tree(folder, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
  if (fd < 0) return errno_error(fmt::format("cannot take `{}` to mount it elsewhere", path));
  return UniqueFd(fd);
}

Result<void> set_attributes(int mount_fd, std::uint64_t set, unsigned recursive,
                            const char* failure) {
  mount_attr attributes{};
  attributes.attr_set = set;
  if (::mount_setattr(mount_fd, "", AT_EMPTY_PATH | recursive, &attributes, sizeof attributes) !=
      0) {
    return errno_error(failure);
  }
  return {};
}

}  // namespace

int do_steps(std::span<const ChildStep> steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (do_step(steps[i]) != 0 && steps[i].if_failing == ChildStep::IfFailing::Stop) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

std::string describe_step(const ChildStep& step) {
  switch (step.call) {
    case ChildStep::Call::MakeFolder:
      return fmt::format("cannot make folder `{}`", step.path);
    case ChildStep::Call::MakeFile:
      return fmt::format("cannot make file `{}`", step.path);
    case ChildStep::Call::MakeLink:
      return fmt::format("cannot make link `{}`", step.path);
    case ChildStep::Call::Mount:
      if (step.source.empty()) return fmt::format("cannot change the mount `{}`", step.path);
      return fmt::format("cannot mount `{}` at `{}`", step.source, step.path);
    case ChildStep::Call::MoveMount:
      return fmt::format("cannot attach a mount at `{}`", step.path);
    case ChildStep::Call::AttachBeneath:
      return fmt::format("cannot attach a mount at `{}` of what is mounted above it", step.source);
    case ChildStep::Call::Unmount:
      return fmt::format("cannot unmount `{}`", step.path);
    case ChildStep::Call::ChangeFolder:
      return fmt::format("cannot go to `{}`", step.path);
    case ChildStep::Call::PivotHere:
      return "cannot make the folder the root";
    case ChildStep::Call::SetHostName:
      return fmt::format("cannot set the host name `{}`", step.source);
    case ChildStep::Call::RaiseLoopback:
      return "cannot raise the loopback interface";
    case ChildStep::Call::Await:
      return "cannot go on";
  }
  return "cannot prepare the process";
}

ChildStep make_mounts_private() {
  // Without this, mounts made here would travel to the host's namespace where `/` is shared, as
  // systemd makes it.
  return make_mount("", "/", "", MS_REC | MS_PRIVATE);
}

ChildStep make_mount(std::string source, std::string path, std::string type, unsigned long flags,
                     std::string data) {
  ChildStep step;
  step.call = ChildStep::Call::Mount;
  step.source = std::move(source);
  step.path = std::move(path);
  step.type = std::move(type);
  step.flags = flags;
  step.data = std::move(data);
  return step;
}

ChildStep make_move_mount(int fd, std::string path) {
  ChildStep step;
  step.call = ChildStep::Call::MoveMount;
  step.fd = fd;
  step.path = std::move(path);
  return step;
}

ChildStep make_attach_beneath(int fd, std::string folder, std::string path, unsigned long kind) {
  ChildStep step;
  step.call = ChildStep::Call::AttachBeneath;
  step.path = std::move(folder);
  step.source = std::move(path);
  step.flags = kind;
  step.fd = fd;
  return step;
}

ChildStep make_folder_step(std::string path) {
  ChildStep step;
  step.path = std::move(path);
  return step;
}

ChildStep make_file_step(std::string path) {
  ChildStep step;
  step.call = ChildStep::Call::MakeFile;
  step.path = std::move(path);
  return step;
}

ChildStep make_link_step(std::string path, std::string target) {
  ChildStep step;
  step.call = ChildStep::Call::MakeLink;
  step.path = std::move(path);
  step.source = std::move(target);
  return step;
}

Result<UniqueFd> copy_mount(const std::string& path, Submounts submounts) {
  return copy_tree(AT_FDCWD, path.c_str(), 0, path, submounts);
}

Result<UniqueFd> copy_opened_mount(int fd, const std::string& path, Submounts submounts) {
  return copy_tree(fd, "", AT_EMPTY_PATH, path, submounts);
}

Result<void> make_read_only(int mount_fd, Submounts submounts) {
  const unsigned recursive = submounts == Submounts::With ? AT_RECURSIVE : 0;
  return set_attributes(mount_fd, MOUNT_ATTR_RDONLY, recursive, "cannot make a mount read-only");
}

Result<void> make_plain(int mount_fd) {
  return set_attributes(mount_fd, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, AT_RECURSIVE,
                        "cannot take set-id programs and devices from a mount");
}

Result<void> forbid_programs(int mount_fd) {
  return set_attributes(mount_fd, MOUNT_ATTR_NOEXEC, AT_RECURSIVE,
                        "cannot forbid the programs of a mount");
}

}  // namespace slipway
