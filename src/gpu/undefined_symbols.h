/// Symbols that nothing in an environment defines: what "undefined symbol" at `import` will be.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "gpu/image_tree.h"
#include "gpu/loader.h"

namespace slipway::gpu {

/// Where the symbols of a file may come from besides the files that are known.
enum class Elsewhere {
  Nowhere,
  System,    ///< from the host's C and C++ libraries, or the driver
  Anywhere,  ///< a library is missing, or its symbols could not be read
};

/// Finds them in the whole environment rather than among what a file loads: who opens a plug-in may
/// have opened for it what it needs, but nobody opens what is not there. So what is told is true,
/// and a library that is there and never loaded goes untold.
class UndefinedSymbols {
 public:
  explicit UndefinedSymbols(const ImageTree& tree);

  bool empty() const { return hashes_.empty(); }
  /// Of `file`, mangled, sorted. With `System`, those that only a package's own library can bring:
  /// C++ names in a namespace that is not the toolchain's.
  std::vector<std::string> find(const LibraryFile& file, Elsewhere elsewhere) const;

 private:
  std::unordered_set<std::uint32_t> hashes_;
};

/// `c10::impl::f(int)` of `_ZN3c104impl1fEi`; other names as they are. Shortened to a line.
std::string readable_symbol(const std::string& name);

}  // namespace slipway::gpu
