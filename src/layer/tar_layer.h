/// A layer from a list of entries, through our own encoder: the Debian base, bytecode, the
/// project's code, the venv's frame. Wheels go through wheel_layer.h.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/io.h"
#include "layer/layout.h"

namespace slipway::layer {

enum class EntryKind { File, Folder, Link, HardLink };

/// A host file whose bytes become an entry's content. It must not change meanwhile.
struct HostFile {
  std::string path;
  bool operator==(const HostFile&) const = default;
};

struct Entry {
  std::string path;  ///< without a leading slash, `.` or `..`
  EntryKind kind = EntryKind::File;
  unsigned mode = 0644;  ///< permission bits, with set-id and sticky bits
  std::uint32_t uid = 0, gid = 0;
  std::string link_target;  ///< of a Link: any text; of a HardLink: the path of a File entry
  std::variant<std::string, HostFile> content;  ///< of a File: the bytes, or where they are

  bool operator==(const Entry&) const = default;
};

/// Writes the entries as a tar+gzip blob, sorted by path (the first name of a
/// file with hard links carries its contents), each missing parent
/// folder added once (0755, root). Where `tree_folder` is given (an empty folder), the entries are
/// unpacked there as well, with owners, modes and times as in the tar.
///
/// A pure function of the entries: the same bytes on any machine. Blocks; host files are streamed.
/// Fails with InvalidInput for paths that repeat, leave the tree or lie beneath something that is
/// no folder; Corrupt where a host file changes its size meanwhile; Io (disk full among them). What
/// is in `tree_folder` then is for the caller to remove.
Result<LayerFacts> write_layer(std::vector<Entry> entries, Sink& blob,
                               const std::string* tree_folder, const CancelToken& cancel = {});

}  // namespace slipway::layer
