/// Unpacks the entries of a foreign layer into an empty folder, in the form that overlay mounts
/// (overlayfs, Documentation/filesystems): whiteouts (`.wh.NAME`, image-spec layer.md) become
/// character devices 0/0, opaque folders get overlay's mark.
///
/// Nothing outside the folder is touched, whatever the entries say: every path is resolved by the
/// kernel inside it (openat2, RESOLVE_IN_ROOT), so a link in the tree leads where it would lead in
/// a container. Later entries replace earlier ones, as with tar.
///
/// Left out, and counted: device nodes; what lies in /dev, /proc and /sys besides folders, which a
/// run mounts over; extended attributes other than file capabilities and the user's own (`user.*`),
/// overlay's marks above all. Set-id bits, owners and times stay (of folders beyond a million,
/// not).
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/io.h"
#include "base/unique_fd.h"
#include "layer/file_unpacker.h"
#include "layer/owners.h"
#include "layer/tar_item.h"
#include "layer/whiteout.h"

namespace slipway::layer {

/// Whose attributes overlay reads: `user.overlay.*` where it is mounted in a user namespace.
enum class OverlayMarks { Trusted, User };

/// Of what is told above to be left out: entries.
bool is_left_out(const TarItem& item);

struct LeftOut {
  std::uint64_t devices = 0, attributes = 0, of_mounts = 0;
  bool operator==(const LeftOut&) const = default;
};

/// Fails with Corrupt (a hard link to what is not in the layer, a path through a file, a name that
/// marks nothing), Unsupported (owners that this user's ids do not reach), Io. What is in the
/// folder then is for the caller to remove.
class TreeUnpacker {
 public:
  static Result<TreeUnpacker> open(const std::string& folder, OverlayMarks marks, Owners owners);

  /// How files are unpacked.
  FileUnpacker& files() { return files_; }
  /// `contents` are those of a File.
  Result<void> add(const TarItem& item, Source& contents);
  /// Waits for what is being written, then sets the times of the folders.
  Result<LeftOut> finish();

 private:
  struct Place {  ///< a folder, and a name in it
    int folder = -1;
    std::string name;
  };
  struct FolderTime {
    std::string path;
    timespec time;
  };
  enum class Found { Nothing, Folder, Whiteout, Other };

  explicit TreeUnpacker(Owners owners) : owners_(owners), files_(owners) {}
  Result<UniqueFd> open_folder(std::string_view path);
  Result<UniqueFd> make_parents(std::string_view path);
  Result<int> enter(std::string_view folder);
  Result<Place> place_of(std::string_view path);
  Result<Found> look(const Place& place, std::string_view path);
  void note_time(std::string_view path, timespec time);
  Result<void> clear(const Place& place, std::string_view path, Found found);
  Result<void> mark_opaque(const Place& place, std::string_view path);
  Result<void> add_whiteout(const TarItem& item, const Whiteout& whiteout);
  Result<void> add_folder(const TarItem& item, const Place& place);
  Result<void> add_link(const TarItem& item, const Place& place);
  Result<void> add_hard_link(const TarItem& item, const Place& place);

  UniqueFd root_;
  OverlayMarks marks_ = OverlayMarks::Trusted;
  Owners owners_;
  std::string current_path_;  ///< the folder that `current_` is; entries come folder by folder
  UniqueFd current_;
  std::vector<FolderTime> folders_;
  FileUnpacker files_;
  LeftOut left_out_;
};

}  // namespace slipway::layer
