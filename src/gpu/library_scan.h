/// Everything about one unpacked layer that the loader's search can see.
///
/// Paths are absolute inside the image (`/opt/venv/lib/...`). All links are kept, since any of them
/// may be a step on the way to a library. The text form is meant for a cache under the layer's
/// diff_id: one line a fact, sorted, so that equal layers give equal text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "gpu/elf.h"

namespace slipway::gpu {

struct LibraryFile {
  std::string path;
  ElfFacts facts;
  GpuCode code = {};
  std::string owner = {};  ///< `torch 2.6.0`: whose RECORD in the same layer names it; may be empty
  /// Undefined ones of Python packages only, and of these what no other file of the package
  /// defines.
  ElfSymbols symbols = {};
  bool operator==(const LibraryFile&) const = default;
};

struct LibraryLink {
  std::string path;
  std::string target;
  bool operator==(const LibraryLink&) const = default;
};

/// `/etc/ld.so.conf` or a file of `/etc/ld.so.conf.d`.
struct LoaderConfiguration {
  std::string path;
  std::string text;
  bool operator==(const LoaderConfiguration&) const = default;
};

/// A Python package, by its dist-info folder.
struct PythonPackage {
  std::string name;     ///< normalised as PEP 503 says
  std::string version;  ///< as METADATA has it
  std::string folder;   ///< the dist-info folder
  /// Those of its Requires-Dist that tell of the GPU's software: torch, triton, nvidia-*, cuda-*.
  std::vector<std::string> requirements;
  std::string cuda;  ///< of torch: what torch/version.py says it was built with; `none` for the CPU
  bool operator==(const PythonPackage&) const = default;
};

struct LayerLibraries {
  std::vector<LibraryFile> elves;
  std::vector<LibraryLink> links;
  std::vector<LoaderConfiguration> loader_configurations;
  /// What this layer takes away from those below it: overlayfs whiteouts (character device 0:0,
  /// kernel Documentation/filesystems/overlayfs.rst).
  std::vector<std::string> removed;
  /// Files that begin as ELF and are not readable as such: `path: why`. Test data of some packages
  /// is broken on purpose, so this is no error; the loader could not load them either.
  std::vector<std::string> unreadable;
  std::vector<PythonPackage> packages = {};  ///< by folder

  bool operator==(const LayerLibraries&) const = default;
};

/// Walks the unpacked tree at `folder`, on all cores. Follows no link and crosses into no other
/// file system. Fails with NotFound, Denied, Io, or Cancelled.
Result<LayerLibraries> scan_layer(const std::string& folder, const CancelToken& cancel);

/// For who meets the files of a layer by another way: whether a path is a loader configuration,
/// and what there is to do at the end: `found` sorted, packages and owners from their files.
bool is_loader_configuration(std::string_view path);
struct PackageFile;
void finish_layer(const std::vector<PackageFile>& files, LayerLibraries& found);

std::string write_layer_libraries(const LayerLibraries& libraries);
/// Fails with Corrupt on anything that `write_layer_libraries` does not write.
Result<LayerLibraries> parse_layer_libraries(std::string_view text);

}  // namespace slipway::gpu
