#include "lazy/fuse_trial.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/sandbox_steps.h"
#include "base/user_namespace.h"
#include "lazy/file_system.h"

namespace slipway::lazy {
namespace {

/// A folder that every machine has. Nothing asks the file system anything before the process ends,
/// and with it the mount.
constexpr const char* kPlace = "/proc";

Result<void> mount_once() {
  UserNamespaceRequest request;
  request.ids = UserNamespaceRequest::Ids::OneIsEnough;
  request.mounts = UserNamespaceRequest::Mounts::Private;
  const NamespaceInfo space = TRY(enter_user_namespace(request));
  TRY(check_fuse());
  if (space.entered) (void)TRY(copy_mount(kPlace, Submounts::Without));
  const UniqueFd device = TRY(open_file("/dev/fuse", O_RDWR));
  const std::string options = fmt::format(
      "fd={},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions", device.get());
  if (::mount("slipway", kPlace, "fuse", MS_RDONLY, options.c_str()) == 0) return {};
  return errno_error("FUSE cannot be mounted");
}

}  // namespace

Result<void> try_fuse() {
  TRY(check_fuse());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
  const UniqueFd answer(ends[0]);
  UniqueFd to_us(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("cannot start a helper process");
  if (pid == 0) {
    const Result<void> mounted = mount_once();
    const std::string said = mounted.ok() ? "" : mounted.error().message;
    FdSink sink(to_us.get());
    (void)sink.write(as_bytes(said));
    ::_exit(0);
  }
  to_us.reset();
  FdSource source(answer.get());
  StringSink said;
  const auto read = copy(source, said);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  TRY(read);
  if (said.text.empty()) return {};
  return make_error(ErrorKind::Unsupported, "{}", said.text);
}

}  // namespace slipway::lazy
