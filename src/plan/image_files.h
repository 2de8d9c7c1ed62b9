/// The files of an image, read from its unpacked layers before anything is mounted.
///
/// What is found is what overlayfs would show (Documentation/filesystems/overlayfs.rst): whiteouts
/// and opaque folders hide what lies below. Links are worked off inside the image, one name at a
/// time, so that none can lead out of it. What is no regular file is never opened.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/unique_fd.h"
#include "plan/stored_images.h"

namespace slipway::plan {

/// A layer as a folder, or the layers of an image merged into one (image_tree.h).
struct LayerFolder {
  Digest id;  ///< diff_id, or ChainID
  std::string path;
};

class ImageFiles {
 public:
  /// Top first. Folders that are not there are passed over.
  explicit ImageFiles(std::vector<LayerFolder> layers);
  /// Of the merged tree where the store has it, or one is served (lazy_folder.h); else of the
  /// layers.
  ImageFiles(const StoredImage& image, const store::Store& store);

  /// False where the tree is served, and mounted for others alone (lazy_space.h).
  bool are_shown() const { return are_shown_; }

  struct Found {
    std::string path;     ///< inside, without links: `/usr/local/cuda-12.8/compat`
    std::string on_host;  ///< in its layer
    Digest layer;         ///< the id of the topmost that has it
    UniqueFd file;        ///< open for reading where it is a regular file
  };
  /// To what `path` leads; nothing where there is none, or links go round in circles.
  std::optional<Found> find(std::string_view path) const;

  /// Whether no link is on the way to `path`, as far as it is there.
  bool is_free_of_links(std::string_view path) const;

  /// Sorted names in the folder to which `path` leads; none where it leads to no folder.
  std::vector<std::string> names(std::string_view path) const;

  /// A regular file of up to 16 MiB; empty where it is none.
  std::string text(std::string_view path) const;

 private:
  class Walk;

  std::vector<LayerFolder> layers_;
  bool are_shown_ = true;
};

}  // namespace slipway::plan
