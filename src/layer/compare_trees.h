/// Where two stacks of layers show different files.
///
/// Each stack is seen as overlayfs would show it (Documentation/filesystems/overlayfs.rst). The two
/// are walked side by side, and a folder that both have from the very same layers is not entered:
/// so images that share most layers cost what they do not share, and the lists of the few folders
/// above that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"

namespace slipway::layer {

/// An unpacked layer: two with one id hold the same.
struct TreeLayer {
  Digest id;
  std::string path;
};

/// What a name shows of itself.
struct FileLook {
  enum class Kind { File, Link, Folder, Other };
  Kind kind = Kind::File;
  std::uint64_t size_bytes = 0;  ///< of files
  unsigned mode = 0;             ///< permission bits, with set-id and sticky bits
  std::uint32_t uid = 0, gid = 0;
  std::string target;  ///< of links
  bool operator==(const FileLook&) const = default;
};

/// A path that is in one of the two alone, or looks different, or has other contents. Times do not
/// count: whoever makes a layer anew gives new ones.
struct PathChange {
  std::string path;  ///< absolute: `/etc/passwd`
  std::optional<FileLook> before, after;
  bool has_other_contents = false;  ///< of files on both sides
  bool operator==(const PathChange&) const = default;
};

/// Whether owners count. In a user namespace they are what the namespace's map makes of them, and
/// that depends on the image's user (base/user_namespace.h).
enum class CompareOwners { No, Yes };

/// Sorted by path. Layers bottom first, as images list them. Files of one size are compared byte by
/// byte, several at a time, unless they are one and the same inode. Folders count as paths too.
/// Follows no link. Fails with NotFound, Denied, Io, Cancelled.
Result<std::vector<PathChange>> compare_trees(const std::vector<TreeLayer>& before,
                                              const std::vector<TreeLayer>& after,
                                              CompareOwners owners, const CancelToken& cancel);

/// Bytes of all files below `folder`, each inode once. Fails as compare_trees.
Result<std::uint64_t> measure_tree(const std::string& folder, const CancelToken& cancel);

}  // namespace slipway::layer
