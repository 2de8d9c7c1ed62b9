/// `slipway diff`: what two images differ in.
///
/// Files are compared as containers would see them (layer/compare_trees.h); packages, by what pip
/// and dpkg keep about them, and only where that differs. So two images that share most of their
/// layers are compared in the time of what they do not share. The size of an unpacked layer is
/// measured once and remembered.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gpu/library_scan.h"
#include "layer/compare_trees.h"
#include "plan/path_owners.h"
#include "plan/stored_images.h"
#include "plan/tools.h"

namespace slipway::plan {

struct FileCounts {
  std::size_t added = 0, removed = 0, changed = 0;
  std::int64_t more_bytes = 0;  ///< after less before
  std::size_t all() const { return added + removed + changed; }
};

/// A package whose version or files differ. Both versions are the same where only files do.
struct PackageDiff {
  PackageKind kind = PackageKind::Python;
  std::string name;
  std::string before, after;  ///< versions; empty: not there
  FileCounts files;
};

/// A path that differs, folders included.
struct FileDiff {
  layer::PathChange change;
  std::string owner;  ///< a name in `packages`; `dpkg` of its status file; empty: nobody's
};

/// Machine code for GPUs, by what `check` reads: `sm_90`, and `compute_90` for PTX.
struct CodeDiff {
  std::string package;  ///< empty: of the whole image
  std::vector<std::string> gained, lost;
};

struct ConfigDiff {
  std::string field;  ///< `user`, `command`, `environment PATH`, `label x`
  std::string before, after;
  bool was_there = true, is_there = true;
};

struct DiffSide {
  std::string reference;
  Digest digest;
  std::size_t layers = 0;
  std::uint64_t compressed_bytes = 0;
  std::uint64_t unpacked_bytes = 0;  ///< of all layers
};

struct ImageDiff {
  DiffSide before, after;
  std::size_t shared_layers = 0, pulled_layers = 0;  ///< by the digest of their blob
  std::uint64_t shared_bytes = 0, pulled_bytes = 0;  ///< compressed
  std::vector<PackageDiff> packages;                 ///< by kind, then by how many bytes, then name
  std::vector<FileDiff> files;                       ///< by path
  std::vector<CodeDiff> code;                        ///< the whole image first, then by name
  std::vector<ConfigDiff> config;
  bool is_empty() const { return packages.empty() && files.empty() && config.empty(); }
};

/// Both images are unpacked. Fails with NotFound where a layer is not there any more, Denied, Io,
/// Cancelled.
Result<ImageDiff> diff_images(const StoredImage& before, const StoredImage& after,
                              const Tools& tools);

/// In the order in which `slipway inspect` shows them. Dates do not count. Pure.
std::vector<ConfigDiff> diff_configs(const oci::ImageConfig& before, const oci::ImageConfig& after);

/// What a package's code gained and lost. Layers lowest first. Pure.
std::vector<CodeDiff> diff_code(std::span<const gpu::LayerLibraries> before,
                                std::span<const gpu::LayerLibraries> after);

}  // namespace slipway::plan
