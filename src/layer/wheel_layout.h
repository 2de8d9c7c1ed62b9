/// What `pip install` leaves of a wheel in a virtual environment: which member goes where, and
/// which files are written anew.
///
///   purelib, platlib (the root, `.data/{purelib,platlib}`)  lib/python3.11/site-packages
///   .data/scripts   bin, with `#!python…` turned into the environment's interpreter
///   .data/headers   include/site/python3.11/<name>
///   .data/data      the prefix itself
///   entry points    bin/<name>
///   *.dist-info     kept; INSTALLER and RECORD written anew
///
/// Not as pip: RECORD rows of files that the wheel does not hold are dropped, and with them
/// bytecode in `__pycache__`, which is made for the image (bytecode.h); INSTALLER says `slipway`;
/// there is no REQUESTED, which depends on who asked, not on the wheel.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.h"
#include "layer/record_file.h"
#include "layer/wheel_layer.h"
#include "layer/zip_archive.h"

namespace slipway::layer {

struct InstalledFile {
  std::string path;  ///< in the image, without a leading slash
  unsigned mode = 0644;
  const ZipMember* member = nullptr;  ///< of the archive; null: `text` is the content
  std::string text;
  std::string record_hash;  ///< what the wheel's RECORD says of the member; may be empty
};

struct WheelLayout {
  std::vector<InstalledFile> files;  ///< members in the archive's order, then the texts by path
};

/// Reads the members that decide (WHEEL, RECORD, entry_points.txt, scripts). Fails with Corrupt,
/// naming the wheel: no or several dist-info folders or another package's, unknown Wheel-Version,
/// unknown scheme, one path for two contents, a file where others need a folder.
Result<WheelLayout> read_wheel_layout(const ZipArchive& archive, const std::string& package,
                                      const WheelLayerOptions& options);

}  // namespace slipway::layer
