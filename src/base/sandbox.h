/// A closed room for programs that must run while an image is made: maintainer scripts, ldconfig,
/// the bytecode compiler.
///
/// The program sees `root` as `/`, a fresh /proc, a /dev of six nodes (null, zero, full, random,
/// urandom, tty; fd, stdin, stdout, stderr as links), a loopback-only network, its own host name,
/// processes and IPC, no /sys, no descriptor but the three standard ones, and exactly the
/// environment given. All of its mounts live in a mount namespace that ends with it, so nothing
/// stays mounted whatever happens; nor does a process: the room is a pid namespace, and its end (a
/// cancel, a crash of Slipway too) kills whatever is in it.
///
/// It protects the host from accidents, not from attack: the program is root of our user namespace.
///
/// Needs uid 0, the machine's or that of a user namespace (base/user_namespace.h).
#pragma once

#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/process.h"

namespace slipway {

struct SandboxBind {
  enum class Access { ReadOnly, ReadWrite };
  std::string source;  ///< a folder or a file of the host
  std::string target;  ///< absolute, inside; made when it is missing
  Access access = Access::ReadOnly;
};

/// `root` becomes the mount point of an overlay (overlayfs, Documentation/filesystems) of folders.
struct SandboxOverlay {
  std::vector<std::string> lowers;  ///< top first, at least one
  std::string upper;                ///< where changes go; empty: the tree is read-only
  std::string work;                 ///< an empty folder beside `upper`, on the same file system
};

struct SandboxRequest {
  /// The tree, or an empty folder as mount point when there is an overlay. /dev, /proc and /tmp in
  /// it are made when they are missing (with a read-only overlay they must be there).
  std::string root;
  std::vector<SandboxOverlay> overlay;  ///< none or one
  std::vector<SandboxBind> binds;       ///< mounted in this order
  enum class Tmp { OfTree, Fresh } tmp = Tmp::OfTree;
  std::vector<std::string> arguments;  ///< [0] is an absolute path inside
  std::vector<std::string> environment;
  std::string working_folder = "/";
  std::string input;
  std::string host_name = "slipway";
};

/// Blocks until the program has ended; then everything it left running is killed. Output is kept
/// whole up to 16 MiB a stream, of which then the last part stays. A status other than 0 is no
/// failure; 127 and 126 may also mean that `arguments[0]` was not found or could not be run, as in
/// a shell. Threads may call this at the same time. Fails with Denied (not root), NotFound (a bind
/// or a folder that is not there), Unsupported, Io, Cancelled.
Result<ProcessResult> run_in_sandbox(const SandboxRequest& request, const CancelToken& cancel);

}  // namespace slipway
