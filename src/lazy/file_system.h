/// A tree as a read-only file system of the kernel's (FUSE): names and sizes are there at once, and
/// who opens a file waits until its contents have come.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "lazy/contents.h"
#include "lazy/tree.h"

namespace slipway::lazy {

class FileSystem {
 public:
  /// Mounts it at `folder`, for every user of this user namespace and of those below it. Needs uid
  /// 0 in it, mounts that may be changed, and /dev/fuse. Where the namespace has one id, all files
  /// are its root's, as layer/tree_unpacker.h has them there. Borrows tree and contents.
  static Result<FileSystem> mount(const Tree& tree, Contents& contents, const std::string& folder);
  FileSystem(FileSystem&&) noexcept;
  ~FileSystem();  ///< takes the mount away

  /// Answers the kernel until nobody uses the mount and it was detached. Failures of files are EIO
  /// for who opens them; `on_trouble` hears why. It is
  /// called from several threads, `on_open` from this one.
  struct Hearers {
    std::function<void(const Error& error)> on_trouble{};
    std::function<void(NodeId file)> on_open{};  ///< before its contents are there
  };
  Result<void> serve(const Hearers& hearers);

  /// The mount is gone for who looks for it, and stays for who uses it (umount2(2), MNT_DETACH).
  /// From any thread, once or more.
  void detach();

 private:
  struct State;
  explicit FileSystem(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Whether /dev/fuse can be opened; Unsupported says why not, and what would help.
Result<void> check_fuse();

}  // namespace slipway::lazy
