/// The reviewed facts that no file of an image tells: data/compatibility.toml, built into the
/// program. Its own comments say what each table means.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "gpu/compute_capability.h"
#include "gpu/driver_version.h"

namespace slipway::gpu {

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
  std::string torch_fits;  ///< `>=2.11`: the torch it needs, where its metadata does not say
  bool any_cuda = false;   ///< the default index has it for no CUDA, or for any
};

/// From torch MAJOR.MINOR on, or of its build for `cuda` alone: the new C++ ABI of libstdc++.
struct CxxAbiRow {
  std::string torch, cuda;
  bool is_new = true;
};

/// A library whose SONAME carries the CUDA major version.
struct CudaLibrary {
  std::string name;
};

/// The Debian package that brings a library.
struct DebianLibrary {
  std::string library, package;
};

/// All GPUs of one compute capability.
struct Architecture {
  ComputeCapability capability;
  std::string name;                           ///< `Hopper`
  std::string first_cuda;                     ///< the first toolkit that compiles for it
  std::string last_cuda;                      ///< and the last; empty: none yet
  std::optional<DriverVersion> first_driver;  ///< the first that knows such a chip
  std::optional<DriverVersion> last_driver;   ///< the last branch that does
  bool tensor_cores = false;
  bool soc = false;  ///< of a Jetson module
};

struct GpuModel {
  std::string name;                  ///< `h100`; for a bare capability `sm_90`
  std::vector<std::string> aliases;  ///< other names of the same chip
  ComputeCapability capability;
  std::string kind;  ///< data-centre, workstation, geforce, jetson; empty for a bare capability
  bool tensor_cores = false;
  std::optional<DriverVersion> first_driver, last_driver;  ///< of its architecture
};

/// Minor-version compatibility: the floor of a CUDA major version.
struct CudaDriver {
  std::string cuda;  ///< `12`
  DriverVersion min_driver;
};

/// The driver that came with a toolkit, and compiles all of its PTX.
struct CudaRelease {
  std::string cuda;  ///< `12.4`
  DriverVersion driver;
};

/// The CUDA that brought a PTX version.
struct PtxVersion {
  std::string ptx, cuda;
};

/// The builds of torch MAJOR.MINOR that PyTorch's indexes hold.
struct TorchCuda {
  std::string torch;
  std::vector<std::string> cuda;
};

/// What a build of torch carries.
struct TorchArch {
  std::string torch, cuda;
  std::vector<ComputeCapability> sass, ptx;
};

/// Older than `version`, `library` has no Tensor Core kernels for `capability` and newer ones.
struct LibraryFloor {
  std::string library;  ///< `libcudnn`
  ComputeCapability capability;
  std::string version, verdict;
};

/// The processor without which these versions of a package end with SIGILL.
struct CpuFloor {
  std::string package;
  std::string versions;  ///< `>=2.4`
  std::string level;     ///< `x86-64-v2`
};

/// Where the package cuda-compat of a CUDA helps.
struct ForwardCompatibility {
  std::string cuda;                ///< `12.8`
  std::vector<std::string> kinds;  ///< of GPUs
  std::vector<int> branches;       ///< of the drivers for which it stands in
  DriverVersion driver;            ///< that of its libcuda: the one that came with the CUDA
};

struct CompatibilityTables {
  std::vector<Preload> preloads;
  std::vector<OptionalGap> optional_gaps;
  std::vector<TorchBuild> torch_builds;
  std::vector<Companion> companions;
  std::vector<CxxAbiRow> cxx_abis;
  std::vector<CudaLibrary> cuda_libraries;
  std::vector<DebianLibrary> debian_libraries;
  std::vector<Architecture> architectures;  ///< by rising capability
  std::vector<GpuModel> gpus;               ///< those with a name, then one for each architecture
  std::vector<CudaDriver> cuda_drivers;
  std::vector<CudaRelease> cuda_releases;  ///< oldest first
  std::vector<PtxVersion> ptx_versions;    ///< oldest first
  std::vector<TorchCuda> torch_cudas;
  std::vector<TorchArch> torch_archs;
  std::vector<LibraryFloor> library_floors;
  std::vector<ForwardCompatibility> forward_compatibilities;
  std::vector<CpuFloor> cpu_floors;
};

/// Fails with Corrupt on unknown tables or keys, and on a row without a source.
Result<CompatibilityTables> parse_compatibility(std::string_view text);

/// The tables built into the program; parsed once.
const CompatibilityTables& compatibility_tables();

}  // namespace slipway::gpu
