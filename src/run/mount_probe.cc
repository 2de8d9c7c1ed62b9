#include "run/mount_probe.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/user_namespace.h"

namespace slipway::run {
namespace {

/// All that the child needs, made before the fork: it makes only async-signal-safe calls.
struct Plan {
  bool needs_user_namespace = false;
  std::string uid_map, gid_map;
  std::string options, target, file;
};

bool write_text(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  ::close(fd);
  errno = error;
  return done;
}

bool enter(const Plan& plan) {
  if (::unshare(plan.needs_user_namespace ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) != 0)
    return false;
  if (plan.needs_user_namespace && !(write_text("/proc/self/setgroups", "deny") &&
                                     write_text("/proc/self/uid_map", plan.uid_map) &&
                                     write_text("/proc/self/gid_map", plan.gid_map))) {
    return false;
  }
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool mount_overlay(const Plan& plan) {
  if (::mount("overlay", plan.target.c_str(), "overlay", 0, plan.options.c_str()) != 0)
    return false;
  return ::open(plan.file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0;
}

MountProbe try_out(const Plan& plan) {
  MountProbe probe;
  if (!enter(plan)) {
    probe.namespace_error = errno;
  } else if (!mount_overlay(plan)) {
    probe.overlay_error = errno;
  }
  return probe;
}

}  // namespace

Result<MountProbe> probe_mounts(const std::string& folder) {
  const TemporaryFolder place = TRY(TemporaryFolder::create(folder, ".doctor"));
  for (const char* name : {"lower", "upper", "work", "root"})
    TRY(make_folders(join_path(place.path(), name)));
  Plan plan;
  plan.needs_user_namespace = ::geteuid() != 0;
  plan.uid_map = fmt::format("0 {} 1", ::geteuid());
  plan.gid_map = fmt::format("0 {} 1", ::getegid());
  plan.options =
      fmt::format("lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work{1}", place.path(),
                  plan.needs_user_namespace || in_user_namespace() ? ",userxattr" : "");
  plan.target = join_path(place.path(), "root");
  plan.file = join_path(plan.target, "file");

  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
  const UniqueFd read_end(pipe[0]);
  UniqueFd write_end(pipe[1]);
  const pid_t child = ::fork();
  if (child < 0) return errno_error("cannot start a process");
  if (child == 0) {
    const MountProbe probe = try_out(plan);
    const ssize_t written = ::write(write_end.get(), &probe, sizeof probe);
    ::_exit(written == sizeof probe ? 0 : 1);
  }
  write_end.reset();
  MountProbe probe;
  const ssize_t count = ::read(read_end.get(), &probe, sizeof probe);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  // The kernel's own folder in it, which nobody else may open (mode 000).
  (void)::chmod(join_path(place.path(), "work/work").c_str(), 0700);
  if (count != sizeof probe) return make_error(ErrorKind::Io, "the probe of mounts died");
  return probe;
}

}  // namespace slipway::run
