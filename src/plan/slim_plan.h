/// What `slipway slim` would change of an image, before anything is written.
///
/// A function of the image, the GPUs and the rules: docs/formats/slim.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gpu/compatibility.h"
#include "layer/layer_edits.h"
#include "plan/check_environment.h"
#include "plan/drop_rules.h"
#include "plan/stored_images.h"
#include "plan/tools.h"

namespace slipway::plan {

/// Of packages whose licence is not known to allow changes, files of no package, and NVIDIA's
/// libraries inside other packages.
enum class Proprietary { Leave, Slim };

struct SlimRequest {
  gpu::HostQuestion host;  ///< its GPUs, at least one
  std::vector<const DropRule*> rules;
  Proprietary proprietary = Proprietary::Leave;
};

struct Saving {
  std::uint64_t files = 0, bytes = 0;
  void add(std::uint64_t more_bytes) { ++files, bytes += more_bytes; }
};

/// A package with something to give up. Bytes are those of the files' contents.
struct SlimPackage {
  std::string name;     ///< `torch 2.6.0`; empty: of no package
  std::string licence;  ///< as its METADATA has it
  std::size_t layer = 0;
  std::uint64_t unpacked_bytes = 0;     ///< by its RECORD
  std::uint64_t code_bytes = 0;         ///< all GPU code
  Saving holes;                         ///< code that none of the GPUs runs, by library
  std::map<std::string, Saving> drops;  ///< by rule, those that were not asked for too
  std::uint64_t saved_bytes = 0;        ///< holes, and what the rules asked for take
  std::string kept_because;             ///< why nothing of it changes; empty: it changes
};

struct LayerPlan {
  layer::LayerEdits edits;
  /// What each of its packages is to be told in its RECORD: the dist-info folders, with `/`.
  std::vector<std::string> records;
};

struct SlimPlan {
  std::vector<LayerPlan> layers;  ///< one for each of the image
  std::vector<SlimPackage> packages;
  std::uint64_t unpacked_bytes = 0;  ///< of all files in all layers
  std::uint64_t saved_bytes = 0;
  std::vector<std::string> notes;  ///< files that are left alone: `path: why`
};

/// Fails with Unsolvable, as `check` would tell it, where the slim image would not run on these
/// GPUs; Unsupported where there is nothing to change; else as read_image_environment.
Result<SlimPlan> plan_slim(const StoredImage& image, const SlimRequest& request,
                           const Tools& tools);

/// RECORD as it has to be once the edits are made: rows of removed files gone, hashes of changed
/// ones new. `folder` is the dist-info folder in the tree `root`; `digests` are of these edits.
Result<std::string> slim_record(const std::string& root, const std::string& folder,
                                const layer::LayerEdits& edits,
                                const layer::PatchedDigests& digests);

}  // namespace slipway::plan
