/// The reviewed facts that no file of an image tells: data/compatibility.toml, built into the
/// program. Its own comments say what each table means.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::gpu {

struct DriverLibrary {
  std::string name;        ///< without version: `libcuda`
  std::string capability;  ///< compute, utility, video, graphics, ngx (libnvidia-container's words)
};

/// A package whose import loads libraries on which other files rely.
struct Preload {
  std::string package;
  std::string after;                  ///< the package that is imported before; may be empty
  std::vector<std::string> marks;     ///< who needs one of these relies on it
  std::vector<std::string> packages;  ///< all files of these rely on it
  std::vector<std::string> loads;     ///< patterns of paths below site-packages, in load order
};

/// A gap that does no harm. `package`, `library` and `path` are fnmatch(3) patterns.
struct OptionalGap {
  std::string package, library, path, reason;
};

struct TorchBuild {
  std::string torch;  ///< major.minor
  std::string cuda;   ///< major.minor of the build that the public default index serves
};

/// The versions of two packages that were made for each other.
struct Companion {
  std::string package, version, torch;
};

/// A library whose SONAME carries the CUDA major version.
struct CudaLibrary {
  std::string name;
};

/// The Debian package that brings a library.
struct DebianLibrary {
  std::string library, package;
};

struct CompatibilityTables {
  std::vector<DriverLibrary> driver_libraries;
  std::vector<Preload> preloads;
  std::vector<OptionalGap> optional_gaps;
  std::vector<TorchBuild> torch_builds;
  std::vector<Companion> companions;
  std::vector<CudaLibrary> cuda_libraries;
  std::vector<DebianLibrary> debian_libraries;
};

/// Fails with Corrupt on unknown tables or keys, and on a row without a source.
Result<CompatibilityTables> parse_compatibility(std::string_view text);

/// The tables built into the program; parsed once.
const CompatibilityTables& compatibility_tables();

/// Whether the file name is one of the driver's own: `libcuda.so.1`, `libcuda.so.570.86.15`.
const DriverLibrary* find_driver_library(const CompatibilityTables& tables,
                                         std::string_view file_name);

}  // namespace slipway::gpu
