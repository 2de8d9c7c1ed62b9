/// slipway.lock: every file that the image is made of, by name, size and sha256, and why.
///
/// TOML, sorted and made to be read in a review; it names no host: `index` is a name that the
/// machine's configuration gives a place to. Format: docs/formats/lock.md. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/utc_time.h"
#include "spec/project.h"

namespace slipway::spec {

/// The schema that this version writes, and the only one it reads.
inline constexpr int kLockSchema = 1;
/// What `because` says of a package that the user asked for.
inline constexpr std::string_view kAskedByUser = "slipway.toml";
/// And of a Debian package that every image has. No package has a blank in its name.
inline constexpr std::string_view kPartOfBase = "the base";
/// Of Debian packages on a base image: the Python, and what wheels look for in every system.
inline constexpr std::string_view kNoPython = "the base has no Python";
inline constexpr std::string_view kForWheels = "wheels expect it of a system";

struct LockedWheel {
  std::string name;     ///< normalised (PEP 503); unique in the lock
  std::string version;  ///< normalised (PEP 440)
  std::string index;    ///< "pypi"
  std::string file_name;
  std::uint64_t size_bytes = 0;
  Digest sha256;
  std::string requires_python;            ///< as the index says it; empty: nothing said
  std::vector<std::string> extras;        ///< of this package, that are installed
  std::vector<std::string> dependencies;  ///< names in this lock; markers and extras applied
  std::vector<std::string> because;       ///< names in this lock, or kAskedByUser
  bool operator==(const LockedWheel&) const = default;
};

struct LockedDeb {
  std::string name;
  std::string version;
  std::string architecture;  ///< "amd64" or "all"
  std::string index;         ///< "debian", "debian-security"
  std::string path;          ///< below the index: `pool/main/...`; its last part is the file name
  std::uint64_t size_bytes = 0;
  Digest sha256;
  /// Debian packages in this lock that need it, kAskedByUser, kPartOfBase, kNoPython, kForWheels.
  /// Empty in locks that an older slipway wrote.
  std::vector<std::string> because = {};
  bool operator==(const LockedDeb&) const = default;
};

/// The image of a registry below everything, and what was read in it, or what the Debian packages
/// of the lock make of it. Its glibc is the lock's.
struct LockedBase {
  std::string image;        ///< as slipway.toml has it: the tag may have moved since
  Digest digest;            ///< of the manifest for the lock's architecture: what counts
  std::string os;           ///< ID and VERSION_ID of os-release(5): "debian 12"; empty: not said
  std::string python;       ///< "3.12.4"
  std::string interpreter;  ///< "/usr/local/bin/python3.12": no link
  std::string shell;        ///< "/bin/bash", else "/bin/sh"; empty: it has neither
  bool operator==(const LockedBase&) const = default;
};

/// Files that `slipway capture` took as they are on a host: a Python package, kCapturedSystem or
/// kCapturedRest.
struct CapturedFiles {
  std::string name;     ///< normalised (PEP 503), or with a blank; unique in the lock
  std::string version;  ///< as METADATA has it; of the system: the interpreter's
  std::uint64_t files = 0;
  Digest sha256;                     ///< over the path, kind, mode and bytes of each
  std::vector<std::string> changed;  ///< paths that RECORD names with other bytes
  std::vector<std::string> missing;  ///< paths that RECORD names and that are not there
  std::vector<std::string> paths;    ///< of the rest: what belongs to nobody
  /// The wheel that a package came from; empty and zero where it is not known. With the name of an
  /// index its RECORD was compared; without, the installer noted it.
  std::string wheel;
  std::string index;
  Digest wheel_sha256;
  bool operator==(const CapturedFiles&) const = default;
};
/// The interpreter, its library, and what they need of the host.
inline constexpr std::string_view kCapturedSystem = "the system";
/// What no package owns as it is.
inline constexpr std::string_view kCapturedRest = "the rest";

/// Bottom first, as they lie in an image. Packages are wheels with their bytecode; Bytecode is that
/// of Wheels.
enum class LayerKind { Base, Apt, Frame, Wheels, Packages, Bytecode };
/// "base", "frame", ...
std::string_view layer_kind_text(LayerKind kind);

/// A layer that a build gave.
struct LockedLayer {
  LayerKind kind = LayerKind::Base;
  std::vector<std::string> packages;  ///< of the last three: names in this lock, sorted
  Digest digest;                      ///< of the blob
  Digest diff_id;                     ///< of the tar in it
  std::uint64_t size_bytes = 0;       ///< of the blob

  std::string label() const;  ///< "the base", "torch", "bytecode of mpmath, sympy"
  bool operator==(const LockedLayer&) const = default;
};

/// What the last build of this lock gave, but for the project's own code: that is not what a lock
/// is about, and changes more often. Derived: whoever has the rest can make it again.
struct LockedImage {
  int layout = 0;  ///< the layout version of the layers (layer/layout.h)
  /// Of the image as it is without the layer of the project's code. Nothing where the solution has
  /// changed since: then `layers` are those that it did not touch.
  std::optional<Digest> manifest;
  Digest config;  ///< with the manifest
  std::vector<LockedLayer> layers = {};
  bool operator==(const LockedImage&) const = default;
};

struct Lock {
  std::string slipway_version;    ///< of the program that wrote it: for messages only
  Digest inputs;                  ///< inputs_digest of the slipway.toml that was solved
  std::optional<UtcTime> before;  ///< of `lock --before`: no wheel that was uploaded later
  std::string python_version;     ///< "3.11"
  std::string architecture;       ///< "x86_64"
  std::string glibc;              ///< "2.36"
  std::string debian;             ///< "bookworm"; empty where there is a `base`
  std::vector<std::string> gpus;  ///< as slipway.toml has them; `sm_90` for those of "this host"
  std::string driver;             ///< the same; `==570.86.15` for that of "this host"
  std::string cuda_compat;        ///< "12.8": cuda-compat of the host; empty: not said
  std::string cuda;               ///< "12.4": that of the chosen torch; empty: none is used
  std::string cpu;                ///< "x86-64-v2"; empty: not said
  std::optional<LockedBase> base = {};
  std::vector<LockedWheel> wheels;           ///< sorted by name
  std::vector<LockedDeb> debs;               ///< sorted by name, then architecture
  std::vector<CapturedFiles> captured = {};  ///< sorted by name; then there are no wheels and debs
  std::optional<LockedImage> image = {};     ///< once it was built
  bool operator==(const Lock&) const = default;
};

/// Strict: an unknown key, a double, a name that is required and not there, an order that
/// write_lock would not give, are refused. Fails with InvalidInput (file:line:column), or
/// Unsupported for another schema, naming the slipway that wrote it.
Result<Lock> parse_lock(std::string_view text, std::string_view file_name);

/// The same lock, the same bytes: wheels, debs and the lists in them are sorted here, whatever
/// order they come in. parse_lock(write_lock(lock)) is the sorted lock.
std::string write_lock(Lock lock);

/// write_lock without the image: what the image is made from. Its sha256 is the image's label
/// `dev.slipway.lock`, which could not be in an image that it covers.
std::string write_solution(Lock lock);

/// Covers all that changes the solution (python version and packages, target, debian, apt) and
/// nothing else: not the image's name, user, modes, code or resources. Order and doubles in lists
/// do not count.
Digest inputs_digest(const Project& project);

}  // namespace slipway::spec
