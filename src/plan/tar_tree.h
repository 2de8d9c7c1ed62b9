/// The layers of an image as one tree, read from their blobs: nothing is unpacked, so it needs no
/// rights and no space.
///
/// What is found is what overlayfs would show, as in image_files.h: whiteouts and opaque folders
/// (image-spec, layer.md) hide what lies below, and links are worked off inside the image.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/io.h"
#include "layer/tar_item.h"

namespace slipway::plan {

class TarTree {
 public:
  /// What is to be remembered of a regular file; nothing where it is of no interest. It may read as
  /// much of the contents as it likes.
  using Look =
      std::function<Result<std::optional<std::string>>(const layer::TarItem& item, Source& bytes)>;

  /// `blobs` are files, the lowest layer first. Reads each once. Fails as layer::read_tar_file.
  static Result<TarTree> read(std::span<const std::string> blobs, const Look& look,
                              const CancelToken& cancel);

  /// Paths go without a leading slash in and out: `usr/bin/python3`.
  bool exists(std::string_view path) const;
  /// To which file or folder `path` leads; nothing where there is none, or links go in circles.
  std::optional<std::string> resolve(std::string_view path) const;
  /// What is remembered of the regular file to which `path` leads; null where nothing is.
  const std::string* find(std::string_view path) const;
  /// Sorted names in the folder to which `path` leads.
  std::vector<std::string> names(std::string_view path) const;

 private:
  struct Node {
    enum class Kind { File, Link, Folder, Other } kind = Kind::Other;
    std::string target;               ///< of a link
    std::optional<std::string> text;  ///< of a file
  };
  using Nodes = std::map<std::string, Node, std::less<>>;
  class Layer;

  void erase_below(const std::string& folder);

  Nodes nodes_;
};

}  // namespace slipway::plan
