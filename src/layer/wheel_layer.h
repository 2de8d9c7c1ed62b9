/// A wheel becomes a layer by splicing: its deflate streams are copied, not compressed again.
/// See docs/formats/layer.md and docs/decisions/0003-layout-1.md.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/io.h"
#include "base/reporter.h"
#include "layer/layout.h"
#include "layer/tar_layer.h"
#include "layer/tree_writer.h"

namespace slipway::layer {

/// A wheel in the download cache, with what the lock says about it.
struct WheelInput {
  std::string name;  ///< normalised (PEP 503)
  std::string version;
  std::string path;
  Digest sha256;
  std::uint64_t size_bytes = 0;
};

struct WheelLayerOptions {
  std::string prefix = "/opt/venv";  ///< of the virtual environment inside the image
  int python_major = 3, python_minor = 11;
  Owners owners = Owners::AsSaid;  ///< of the files in a tree; the layer's are root's
};

/// One layer of one or several wheels, as `pip install` would leave them under the prefix.
///
/// One pass: each wheel is read once, its sha256 and every CRC are checked, the blob and the tar
/// are hashed. With `tree_folder` (an empty folder) the files are written there too; with `blob`
/// the compressed layer goes there. The bytes are a function of the wheels' bytes, the options and
/// kLayoutVersion; the order of `wheels` does not matter. Anonymous memory stays under 32 MB.
///
/// Blocks; one thread inflates and hashes, two more hash and write large files. Stops within a
/// second of a cancel. Fails with Corrupt (a wheel that lies; its name and the member's are in the
/// message), InvalidInput (two wheels bring different bytes for one path), Cancelled, Io (disk full
/// among them). What is in `tree_folder` then is for the caller to remove.
Result<LayerFacts> build_wheel_layer(std::span<const WheelInput> wheels,
                                     const WheelLayerOptions& options,
                                     const std::string* tree_folder, Sink* blob, Reporter& reporter,
                                     const CancelToken& cancel);

/// The same in two steps, for files that are made of those of the wheels.
class WheelLayer {
 public:
  /// The first: all files of the wheels are in the layer and in the tree, to be read there. Borrows
  /// `blob` and `reporter`. What is held until the second step is small, and has two files open.
  static Result<WheelLayer> begin(std::span<const WheelInput> wheels,
                                  const WheelLayerOptions& options, const std::string& tree_folder,
                                  Sink* blob, Reporter& reporter, const CancelToken& cancel);

  /// The second, once. These files follow, sorted by path, in the tree too; those aside for which a
  /// wheel has a file where they need a folder. The bytes are a function of them as well.
  Result<LayerFacts> finish(std::vector<Entry> further);

  WheelLayer(WheelLayer&&) noexcept;
  ~WheelLayer();

 private:
  explicit WheelLayer(std::unique_ptr<class WheelLayerWriter> writer);
  std::unique_ptr<class WheelLayerWriter> writer_;
};

struct SplicedBlob {
  Digest digest;
  std::uint64_t size_bytes = 0;
};

/// The same blob again, for push and save, at the speed of copying: what is spliced is not
/// inflated. Checks the wheels' sha256; the caller compares the digest with the one it knows.
Result<SplicedBlob> splice_wheel_layer(std::span<const WheelInput> wheels,
                                       const WheelLayerOptions& options, Sink& blob,
                                       Reporter& reporter, const CancelToken& cancel);

/// A file that a wheel leaves in the image.
struct WheelPath {
  std::string path;  ///< in the image, without a leading slash
  std::uint32_t crc32 = 0;
  std::uint64_t size_bytes = 0;
  bool is_executable = false;

  bool operator==(const WheelPath&) const = default;
};

/// What the wheel installs, sorted by path. Reads the zip directory and a few small members, not
/// the whole file; fails as build_wheel_layer does.
Result<std::vector<WheelPath>> list_wheel(const WheelInput& wheel,
                                          const WheelLayerOptions& options);

/// Two wheels may bring the same path with the same bytes (size and CRC-32). Different bytes, or a
/// file where another wheel has a folder, are InvalidInput naming both wheels and the path. Pure.
Result<void> check_collisions(std::span<const WheelInput> wheels,
                              std::span<const std::vector<WheelPath>> paths);

}  // namespace slipway::layer
