#include "base/joined_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "base/mapped_root.h"
#include "base/process_stat.h"
#include "base/sandbox_steps.h"

namespace slipway {
namespace {

Result<std::string> read_start_time(int process_folder) {
  const UniqueFd file(::openat(process_folder, "stat", O_RDONLY | O_CLOEXEC));
  if (!file) return errno_error("cannot look at a process");
  FdSource source(file.get());
  StringSink sink;
  TRY(copy(source, sink));
  return std::string(process_stat_field(sink.text, kStartTimeField));
}

Result<UniqueFd> open_namespace(int process_folder, const char* name) {
  UniqueFd fd(::openat(process_folder, name, O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error(fmt::format("cannot open the namespace `{}` of a process", name));
  return fd;
}

Result<void> enter_mounts(const UniqueFd& mount_namespace) {
  if (::setns(mount_namespace.get(), CLONE_NEWNS) == 0) return {};
  return errno_error("cannot enter a mount namespace");
}

}  // namespace

Result<std::string> own_process_mark() {
  const UniqueFd folder = TRY(open_file("/proc/self", O_RDONLY | O_DIRECTORY));
  return fmt::format("{} {}", ::getpid(), TRY(read_start_time(folder.get())));
}

Result<std::optional<ProcessNamespaces>> open_namespaces(std::string_view process_mark) {
  const std::size_t space = std::min(process_mark.find(' '), process_mark.size());
  const std::string path = fmt::format("/proc/{}", process_mark.substr(0, space));
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (space == 0 || !std::ranges::all_of(process_mark.substr(0, space), is_digit)) {
    return std::optional<ProcessNamespaces>();
  }
  // The folder is that process's, and is dead when another one has its number.
  const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return std::optional<ProcessNamespaces>();
  const Result<std::string> started = read_start_time(folder.get());
  if (!started.ok() || started->empty() ||
      *started != process_mark.substr(std::min(space + 1, process_mark.size()))) {
    return std::optional<ProcessNamespaces>();
  }
  Result<UniqueFd> user = open_namespace(folder.get(), "ns/user");
  Result<UniqueFd> mounts = open_namespace(folder.get(), "ns/mnt");
  if (user.ok() && mounts.ok()) {
    return std::optional(ProcessNamespaces{std::move(*user), std::move(*mounts)});
  }
  if (!read_start_time(folder.get()).ok()) return std::optional<ProcessNamespaces>();
  return user.ok() ? mounts.error() : user.error();
}

Result<void> join_user_namespace(const UniqueFd& user_namespace) {
  if (TRY(list_folder("/proc/self/task")).size() != 1) {
    return make_error(ErrorKind::Unsupported,
                      "a user namespace can be joined only before threads are started");
  }
  if (::setns(user_namespace.get(), CLONE_NEWUSER) != 0) {
    return no_namespaces("cannot enter a user namespace", errno);
  }
  if (::unshare(CLONE_NEWNS) != 0) return no_namespaces("cannot make a mount namespace", errno);
  return become_mapped_root();
}

Result<void> borrow_mount(const UniqueFd& mount_namespace, const std::string& folder) {
  const UniqueFd ours = TRY(open_file("/proc/self/ns/mnt", O_RDONLY));
  const UniqueFd working_folder(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  TRY(enter_mounts(mount_namespace));
  const Result<UniqueFd> mount = copy_mount(folder, Submounts::Without);
  TRY(enter_mounts(ours));
  // That leads to `/`. Where somebody has removed the folder that we were in, there it stays.
  if (working_folder) (void)!::fchdir(working_folder.get());
  if (!mount.ok()) return mount.error();
  if (::move_mount(mount->get(), "", AT_FDCWD, folder.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return errno_error(fmt::format("cannot mount at `{}`", folder));
  }
  return {};
}

}  // namespace slipway
