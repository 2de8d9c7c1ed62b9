/// The program that an image's interpreter runs to make bytecode.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/sandbox.h"

namespace slipway::layer {

/// Python source. Arguments: a folder to read below, a folder to write below. Standard input: paths
/// without leading slash, one a line, ended by an empty one. Writes `<folder>/__pycache__/<name>.
/// <tag>.pyc` for each that compiles, and one line with their number.
extern const std::string_view kBytecodeScript;

/// Runs it in `room` (root, binds) over the sorted `sources` with a fresh interpreter. Fails with
/// Io when the interpreter does, and with InvalidInput for a path with a newline.
Result<void> compile_in_sandbox(SandboxRequest room, const std::string& interpreter,
                                const std::string& read_folder, const std::string& write_folder,
                                const std::vector<std::string>& sources, const CancelToken& cancel);

}  // namespace slipway::layer
