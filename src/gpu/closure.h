/// The first proof: every library that an ELF file of the image asks for is there.
///
/// Each file is loaded in thought, by the rules of ld.so(8), from the union of the layers: what is
/// loaded already (by name or SONAME), DT_RPATH of the object and of those that loaded it unless
/// there is a RUNPATH, RUNPATH, the folders of ld.so.conf, the default folders; `$ORIGIN`, `$LIB`
/// and `$PLATFORM` expanded, links followed inside the image, files of another machine or class
/// passed over. There is no LD_LIBRARY_PATH: an image must work without. Then every symbol that a
/// file of a Python package leaves to others must be defined by some file (undefined_symbols.h): an
/// extension made for another torch finds all its libraries, and still not what it calls in them.
///
/// What the loader cannot know comes from data/compatibility.toml, each row with its source: which
/// libraries belong to the driver, which gaps are known and harmless, and that `import torch` loads
/// libraries on which its extensions rely. That last is no waiver: what torch loads is computed
/// from the torch in the image, so an extension that wants another CUDA's runtime still fails. And
/// a plug-in for which nothing asks is left to its package where what it needs stands beside it or
/// elsewhere in the package; it is told among the known gaps.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "gpu/library_scan.h"

namespace slipway::gpu {

/// Whether the C library and its like are in the environment, or the host's.
enum class System { Inside, Outside };

/// One NEEDED entry that nothing fulfils, a version of symbols that its library does not define, or
/// the symbols that nothing defines.
struct Missing {
  std::string path;          ///< the file that asks: `/opt/venv/.../libtorchaudio.so`
  std::string library;       ///< what it asks for: `libcudart.so.13`
  std::string version = {};  ///< `GLIBC_2.38`; empty where the whole library is missing
  std::string owner;         ///< the package that brought it: `torchaudio 2.11.0`; may be empty
  std::string because;  ///< what the image has instead: `this image has torch 2.6.0 with CUDA 12.4`
  std::string remedy;   ///< what to do: `use torchaudio==2.6.0`; may be empty
  std::string reason;   ///< of a known gap: why it does no harm
  std::vector<std::string> symbols = {};  ///< mangled, sorted; `library` is empty then

  bool operator==(const Missing&) const = default;
};

struct ClosureRequest {
  std::span<const LayerLibraries> layers;  ///< lowest first
  /// Who brought the file at an image path, as `name version`; empty where nobody knows.
  std::function<std::string(const std::string& path)> find_owner;
  /// The Python packages in the image: normalised name -> version.
  std::map<std::string, std::string> installed;
  System system = System::Inside;
  std::string glibc = {};  ///< the host's, where the system is outside; empty: not known
  /// Where the system is outside and made of these Debian packages: their names, sorted.
  std::optional<std::vector<std::string>> debian_packages = {};
  /// Where the system is outside and this machine: the names that its loader's cache has, sorted.
  std::vector<std::string> host_libraries = {};
  /// The lowest so many layers are a base image's, made by others. What its own files lack (a
  /// Python without Tk has `_tkinter` all the same) is theirs to know, and counts as a known gap.
  std::size_t foreign_layers = 0;
};

struct ClosureReport {
  std::vector<Missing> missing;  ///< refuses the build; sorted by path and library, each once
  /// Where the system is outside: what neither a rule says that every host has, nor comes with
  /// wheels (libGL, libzstd), so nobody knows.
  std::vector<Missing> outside;
  std::vector<Missing> optional;  ///< known gaps that do no harm, each with its `reason`
  std::size_t files = 0;          ///< how many ELF files were looked at
};

/// Pure, and quick (the 122 wheels of the example: see docs/benchmarks.md).
ClosureReport check_closure(const ClosureRequest& request);

/// What is needed: `needs libcudart.so.13`, `needs GLIBC_2.38 of libc.so.6`.
std::string need_of(const Missing& missing);

/// One line for people: `torchaudio 2.11.0 needs libcudart.so.13 (CUDA 13), and this image has
/// torch 2.6.0 with CUDA 12.4: use torchaudio==2.6.0`.
std::string explain(const Missing& missing);

/// The refusal: an Unsolvable error with one reason for each pair of package and library, and the
/// remedies as hints. `missing` is not empty.
Error closure_error(std::span<const Missing> missing);

}  // namespace slipway::gpu
