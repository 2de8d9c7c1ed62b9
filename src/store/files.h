/// What the store's own files share: ownership, durability, and their size. Private to `store`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"
#include "store/garbage.h"
#include "store/store.h"

namespace slipway::store {

/// chown(2) where the owner is not who we are already.
Result<void> give_to(int fd, const std::string& shown, Owner owner);

/// Like make_folders; each folder that it makes is given to the owner.
Result<void> make_owned_folders(const std::string& path, Owner owner);

/// fsync(2) of a folder: the names in it are on the disk.
Result<void> sync_folder(const std::string& path);
/// syncfs(2): all that was written to the file system of `path` is on the disk.
Result<void> sync_file_system(const std::string& path);

struct NewFile {
  UniqueFd fd;
  std::string path;
};
/// An empty file in `folder` with a name of its own, mode 0600, given to the owner.
Result<NewFile> create_file(const std::string& folder, std::string_view prefix, Owner owner);

enum class Durable { No, Yes };

/// Writes `path` by rename from `temporary_folder`, and makes the folders above it. Without
/// Durable::Yes, a power cut may leave an empty file or none; the reader has to notice.
Result<void> place_text(const std::string& temporary_folder, const std::string& path,
                        std::string_view text, Owner owner, Durable durable);

/// What the removal of trees and files gives back: an inode with several names (those of layers
/// have one more in each merged tree) counts with the last of its names that one Measure sees.
class Measure {
 public:
  explicit Measure(CancelToken cancel) : cancel_(std::move(cancel)) {}
  /// What is not there counts nothing.
  Result<Tally> of(const std::string& path);

 private:
  Result<void> add(int folder_fd, const char* name, const std::string& shown, Tally& tally);
  const CancelToken cancel_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> seen_;  ///< how many names
};

}  // namespace slipway::store
