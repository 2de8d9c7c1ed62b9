/// The layers of an image as one tree, as overlayfs would show it: only what the loader can meet.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gpu/library_scan.h"

namespace slipway::gpu {

/// Borrows the layers. `resolve` and `find` remember what they worked out: not for several threads.
class ImageTree {
 public:
  explicit ImageTree(std::span<const LayerLibraries> layers);  ///< lowest first

  /// The path with `.`, `..` and links worked off, inside the image; nothing where links go round
  /// in circles (40 of them, as in the kernel: path_resolution(7)). Need not exist.
  std::optional<std::string> resolve(std::string_view path) const;
  /// The ELF file to which `folder`/`name` leads; null where there is none.
  const LibraryFile* find(std::string_view folder, std::string_view name) const;

  /// All ELF files, by path.
  const std::map<std::string, const LibraryFile*>& files() const { return files_; }
  const std::map<std::string, std::string>& loader_configurations() const {
    return configurations_;
  }

 private:
  void put_layer(const LayerLibraries& layer);
  void remove(const std::string& path);
  void replace_links_above(const std::string& path);

  std::map<std::string, const LibraryFile*> files_;
  std::map<std::string, std::string> links_;
  std::map<std::string, std::string> configurations_;
  mutable std::unordered_map<std::string, std::optional<std::string>> resolved_;
};

}  // namespace slipway::gpu
