/// Writes the files of a layer into an empty folder: the tree that overlay mounts use.
///
/// Paths are relative, checked by the caller (no `..`), and their folders made before them. Modes
/// are exact whatever the umask; times are kLayerTime; owners are set where they are not ours.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/io.h"
#include "base/unique_fd.h"
#include "layer/direct_writer.h"
#include "layer/owners.h"

namespace slipway::layer {

/// Permission bits and owner of what is written.
struct Attributes {
  unsigned mode = 0644;
  std::uint32_t uid = 0, gid = 0;
};

class TreeWriter {
 public:
  static Result<TreeWriter> open(const std::string& folder, Owners owners = Owners::AsSaid);

  Result<void> make_folder(std::string_view path, const Attributes& attributes);
  Result<void> write_file(std::string_view path, const Attributes& attributes, Bytes contents);
  Result<void> make_link(std::string_view path, std::string_view target,
                         const Attributes& attributes);
  Result<void> make_hard_link(std::string_view path, const std::string& target);

  /// A file in pieces, through the page cache or past it: `fill` its buffers by way of `large()`.
  Result<void> begin_large(std::string_view path, const Attributes& attributes,
                           std::uint64_t size_bytes, DirectWriter::Observer observer = {});
  DirectWriter& large() { return *large_; }

  /// Waits for what is being written, then sets the folders' modes and times. Frees its buffers.
  /// More can follow, and be finished again.
  Result<void> finish();

 private:
  struct Folder {
    std::string path;
    unsigned mode;
  };

  TreeWriter() = default;
  bool is_given_away(const Attributes& attributes) const;
  Result<int> enter_parent(std::string_view path);
  Result<UniqueFd> create_file(std::string_view path, const Attributes& attributes);
  std::string shown(std::string_view path) const;

  Owners owners_ = Owners::AsSaid;
  std::string root_path_;
  UniqueFd root_;
  std::string current_path_;  ///< the folder that `current_` is; files come folder by folder
  UniqueFd current_;
  std::vector<Folder> folders_;
  std::unique_ptr<DirectWriter> large_ = std::make_unique<DirectWriter>();
};

}  // namespace slipway::layer
