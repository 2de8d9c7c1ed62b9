/// Bytecode for captured Python files, made anew by the captured interpreter itself: that of the
/// host names times that an image does not keep. Unchecked hash-based pycs as in builds
/// (layer/bytecode_script.h), the same bytes for the same files.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/reporter.h"
#include "layer/tar_layer.h"
#include "plan/captured_python.h"
#include "plan/captured_tree.h"

namespace slipway::plan {

/// Files that one interpreter compiles: a package's.
struct CapturedSources {
  std::string name;                  ///< decides with whom it shares a layer
  std::string label;                 ///< for progress: "torch 2.6.0"
  std::string folder;                ///< holds them at their paths: bytes that were checked
  std::vector<std::string> paths{};  ///< in the image, absolute; sorted
};

/// Whether the interpreter has such bytecode: from 3.7 on.
bool has_hash_bytecode(const CapturedPython& python);

/// Those of `paths` that are Python files and worth it: not programs in a bin folder. Sorted.
std::vector<std::string> find_sources(const CapturedTree& tree,
                                      const std::vector<std::string>& paths);

/// Compiles into `output`, several at a time; for each of `sources` entries of its files there, in
/// the order of paths. What does not compile has no bytecode. Needs no namespaces: the interpreter
/// is the host's, and capture has run it already. Fails with Io where it dies, Cancelled.
Result<std::vector<std::vector<layer::Entry>>> compile_captured(
    const CapturedPython& python, std::span<const CapturedSources> sources,
    const std::string& output, Reporter& reporter, const CancelToken& cancel);

}  // namespace slipway::plan
