/// Which package a file of an image belongs to, by what pip and dpkg keep of it: RECORD of a
/// dist-info folder, `/var/lib/dpkg/info/NAME.list`.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "plan/image_files.h"

namespace slipway::plan {

enum class PackageKind { Python, Debian };

struct PathOwner {
  PackageKind kind = PackageKind::Python;
  std::string name;     ///< normalised (PEP 503), or dpkg's: `libc6`
  std::string version;  ///< of Python packages
  bool operator==(const PathOwner&) const = default;
};

/// Of some paths in one image. Lists that are themselves among the paths are read first, since a
/// package that changed has a new one; the others only where that leaves a path without an owner:
/// the RECORDs of the site folders in which one lies, then dpkg's. Bytecode belongs to whom its
/// source does.
class PathOwners {
 public:
  PathOwners(const ImageFiles& files, const std::set<std::string>& paths);

  /// Null where nobody owns it.
  const PathOwner* find(const std::string& path) const;

 private:
  void read_record(const std::string& place);
  void read_dpkg_list(const std::string& name);
  bool has_unknown_below(const std::string& folder) const;
  void read_other_records(const std::set<std::string>& paths);
  void read_other_dpkg_lists(const std::set<std::string>& paths);
  void own_dpkg_files();
  void add(const std::string& path, std::size_t owner);

  const ImageFiles& files_;
  std::vector<PathOwner> owners_;
  std::unordered_map<std::string, std::ptrdiff_t> by_path_;  ///< -1: not known yet
};

/// `/a/x.py` for `/a/__pycache__/x.cpython-311.pyc`; other paths as they are. Pure.
std::string source_of_bytecode(const std::string& path);

/// The folder of Python packages in which a path lies: to the end of the first `site-packages` or
/// `dist-packages`; empty where it lies in none. Pure.
std::string site_folder_of(std::string_view path);

}  // namespace slipway::plan
