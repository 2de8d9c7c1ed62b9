/// The dynamic loader, in thought: which files a file needs, by the rules of ld.so(8) and of
/// glibc's elf/dl-load.c (_dl_map_object).
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/image_tree.h"

namespace slipway::gpu {

/// One process: what is loaded, and under which names. Copies are cheap enough to start from.
struct LoadedObject {
  const LibraryFile* file = nullptr;
  std::string folder;  ///< where it was found: what $ORIGIN means
  int loader = -1;     ///< index of the object that asked for it first; -1 for a program or dlopen
};

struct Unfound {
  const LibraryFile* file = nullptr;
  std::string library;
  auto operator<=>(const Unfound&) const = default;
};

/// A version of symbols that the library which was found does not define.
struct WrongVersion {
  const LibraryFile* file = nullptr;
  const LibraryFile* provider = nullptr;
  std::string library, version;
  auto operator<=>(const WrongVersion&) const = default;
};

struct LoadedProcess {
  std::vector<LoadedObject> objects;
  std::map<std::string, int, std::less<>> names;  ///< file names and SONAMEs -> object
  std::vector<Unfound> unfound;
};

/// A file and the one that provides a library to it.
using Provision = std::pair<const LibraryFile*, const LibraryFile*>;

/// The versions that the objects of `process` want and do not get, by the rules of glibc's
/// elf/dl-version.c: a library without versions, and a weak want, only warn. Pairs in `seen` are
/// passed over; those looked at are added.
std::vector<WrongVersion> find_wrong_versions(const LoadedProcess& process,
                                              std::set<Provision>& seen);

class Loader {
 public:
  explicit Loader(const ImageTree& tree);

  /// Loads `file` and all that it needs, breadth first, on top of what `process` has. What cannot
  /// be found is added to `process.unfound`, and loading goes on.
  void load(const LibraryFile& file, LoadedProcess& process) const;

  /// The folders of /etc/ld.so.conf with its includes, in order.
  const std::vector<std::string>& configured_folders() const { return configured_; }

 private:
  const LibraryFile* search(const std::string& name, int loader, const LoadedProcess& process,
                            std::string& folder) const;
  const LibraryFile* search_folders(const std::vector<std::string>& folders,
                                    const std::string& name, const LoadedObject& object,
                                    const LibraryFile& like, std::string& folder) const;
  std::vector<std::string> default_folders(const ElfFacts& facts) const;

  const ImageTree& tree_;
  std::vector<std::string> configured_;
};

}  // namespace slipway::gpu
