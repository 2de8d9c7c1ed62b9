/// Python packages in a tree, from what the files of their dist-info folders say.
#pragma once

#include <string>
#include <string_view>

#include "gpu/library_scan.h"

namespace slipway::gpu {

/// Whether `path` is one of the files that `note_package_file` reads: METADATA and RECORD of a
/// dist-info folder, `torch/version.py`.
bool is_package_file(std::string_view path);

/// What such a file says, by itself. Text that is none of it says nothing.
struct PackageFile {
  std::string path, text;
};

/// Puts the files of one layer together: its packages, and who owns its ELF files.
void add_packages(const std::vector<PackageFile>& files, LayerLibraries& layer);

}  // namespace slipway::gpu
