/// Bytecode for installed wheels, made by the image's own interpreter, the same bytes every time.
///
/// Files are unchecked hash-based pycs (PEP 552): valid whatever the times of the files are, and
/// read without looking at the source. marshal's output depends on what an interpreter has interned
/// so far, and constant sets on the hash seed; so every wheel gets a fresh interpreter with seed 0,
/// which compiles its files in sorted order.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/reporter.h"
#include "layer/tar_layer.h"

namespace slipway::layer {

struct BytecodeInput {
  std::string name;         ///< for progress: "torch 2.6.0"
  Digest sha256;            ///< of the wheel
  std::string tree_folder;  ///< holds the unpacked files; other wheels' files do not matter
  std::vector<std::string>
      sources;  ///< the wheel's `.py` paths in the image, without leading slash
};

struct BytecodeOptions {
  std::vector<std::string> base_folders;  ///< the unpacked base, top layer first
  /// Debian: one layer of ours, which has every folder that is mounted on. Foreign: it may lack
  /// some, so it is covered by an overlay, and does not change.
  enum class Tree { Debian, Foreign } tree = Tree::Debian;
  std::string scratch_folder;  ///< of Foreign: for the overlay, on a file system that can have one
  std::string interpreter_path;  ///< in the base; empty: `/usr/bin/python3.11`
  std::string output_folder;     ///< the cache: one folder per key, each complete
  Digest interpreter;            ///< sha256 over what brings the interpreter
  std::string prefix = "/opt/venv";
  int python_major = 3;
  int python_minor = 11;
};

struct BytecodeTree {
  std::string folder;  ///< `<output_folder>/<key hex>`: `opt/venv/…/__pycache__/x.pyc`
  std::vector<std::string> paths;  ///< of the files in it, sorted, without leading slash
};

/// Removes from a cache what builds that were killed left half-made; those of the last day may
/// still be at work.
void sweep_bytecode(const std::string& output_folder);

/// The key of a wheel's bytecode: wheel, interpreter, prefix, layout version.
Digest bytecode_key(const Digest& wheel, const BytecodeOptions& options);

/// Compiles what is not in the cache yet, wheel by wheel; one tree for each input, in order. For
/// several threads and processes at a time. Source files that do not compile have no bytecode, as
/// after `pip install`. Blocks, and starts processes; needs what base/sandbox.h needs. Fails with
/// Io when the interpreter dies.
Result<std::vector<BytecodeTree>> build_bytecode(std::span<const BytecodeInput> wheels,
                                                 const BytecodeOptions& options, Reporter& reporter,
                                                 const CancelToken& cancel);

/// Layer entries for the trees: files 0644, and the folders they are in.
Result<std::vector<Entry>> bytecode_entries(std::span<const BytecodeTree> trees);

}  // namespace slipway::layer
