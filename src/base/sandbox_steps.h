/// What a new process does before it becomes a program, prepared as data.
///
/// Between fork and exec only async-signal-safe calls are allowed: other threads of the parent may
/// have held locks. So the parent lays out every string and descriptor beforehand, and the child
/// walks over the list with bare system calls, allocating nothing.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace slipway {

struct ChildStep {
  enum class Call {
    MakeFolder,     ///< mkdir `path`; fine when it is there
    MakeFile,       ///< empty file at `path`; fine when it is there
    MakeLink,       ///< symlink `path` -> `source`; fine when it is there
    Mount,          ///< mount(source, path, type, flags, data)
    MoveMount,      ///< attach the detached mount `fd` at `path`
    AttachBeneath,  ///< attach the mount `fd` at `source` beneath `path`: see attach_beneath.h
    Unmount,        ///< umount2(path, flags)
    ChangeFolder,   ///< chdir `path`
    PivotHere,      ///< the current folder becomes the root; the old root lies over "."
    SetHostName,    ///< sethostname(source)
    RaiseLoopback,  ///< the interface `lo` of a new network namespace goes up
    Await,          ///< waits for a byte from `fd`
  };
  enum class IfFailing { Stop, GoOn };

  Call call = Call::MakeFolder;
  std::string path;
  std::string source;
  std::string type;
  std::string data;
  unsigned long flags = 0;
  int fd = -1;  ///< borrowed: the parent keeps it open until the child has started
  IfFailing if_failing = IfFailing::Stop;
};

/// Does the steps in order. Async-signal-safe. Returns the index of the one that failed, with errno
/// set, or -1.
int do_steps(std::span<const ChildStep> steps);

/// "cannot mount `proc` at `/proc`": for the error about a step that failed.
std::string describe_step(const ChildStep& step);

/// The makers that every user of the list needs.
ChildStep make_mounts_private();
ChildStep make_mount(std::string source, std::string path, std::string type, unsigned long flags,
                     std::string data = {});
ChildStep make_move_mount(int fd, std::string path);
/// `kind` is S_IFDIR or S_IFREG.
ChildStep make_attach_beneath(int fd, std::string folder, std::string path, unsigned long kind);
ChildStep make_folder_step(std::string path);
ChildStep make_file_step(std::string path);
ChildStep make_link_step(std::string path, std::string target);

/// A detached copy of the mounts at and below `path` (open_tree(2)); appears nowhere until moved.
/// Fails with NotFound, Denied, Io.
enum class Submounts { Without, With };
Result<UniqueFd> copy_mount(const std::string& path, Submounts submounts);
/// The same of what is open already; `path` is for the text.
Result<UniqueFd> copy_opened_mount(int fd, const std::string& path, Submounts submounts);

/// mount_setattr(2) on a detached mount.
Result<void> make_read_only(int mount_fd, Submounts submounts);
/// With all below it: no set-id bit and no device node counts there.
Result<void> make_plain(int mount_fd);
/// Likewise: nothing there can be executed.
Result<void> forbid_programs(int mount_fd);

}  // namespace slipway
