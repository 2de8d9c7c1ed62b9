/// The Python packages of a captured tree: which files are theirs, by their RECORD and its hashes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "plan/captured_tree.h"

namespace slipway::plan {

/// A wheel, and how it is known (spec/lock.h): an index whose file has this RECORD, or empty.
struct PackageOrigin {
  std::string index;
  std::string file;
  Digest sha256;
  bool operator==(const PackageOrigin&) const = default;
};

struct CapturedPackage {
  std::string name;  ///< normalised (PEP 503)
  std::string version;
  std::string folder;                ///< of the dist-info: `/srv/venv/lib/.../x-1.0.dist-info`
  std::vector<std::string> files;    ///< paths whose bytes are those that RECORD names; sorted
  std::vector<std::string> changed;  ///< of its RECORD, with other bytes, or a hash we do not know
  std::vector<std::string> missing;  ///< of its RECORD, and not there
  std::vector<std::string> outside;  ///< what its RECORD says of paths outside: not believed
  bool has_record = false;           ///< one that can be read
  std::optional<PackageOrigin> origin;  ///< plan/captured_origins.h
};

struct CapturedPackages {
  std::vector<CapturedPackage> packages;  ///< sorted by name, then folder
  /// Who owns a path: index into `packages`. Where two name one file, the first whose hash is
  /// right.
  std::map<std::string, std::size_t> owners;
};

/// `site_folders` and `prefix` (below which RECORDs may name files) are absolute, without links.
/// The tree is hashed. Refuses editable installs of folders that `is_inside` does not know: what
/// they import is elsewhere, and may be anything. InvalidInput; Io.
Result<CapturedPackages> find_captured_packages(
    const CapturedTree& tree, const std::vector<std::string>& site_folders,
    const std::vector<std::string>& prefixes,
    const std::function<bool(const std::string& path)>& is_inside);

/// A row's path, from the folder that holds the dist-info: absolute, `.` and `..` folded; empty
/// where it is absolute itself, or leads out of every prefix. Pure.
std::string find_record_path(std::string_view site_folder, std::string_view row_path,
                             const std::vector<std::string>& prefixes);

}  // namespace slipway::plan
