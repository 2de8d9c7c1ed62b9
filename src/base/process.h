/// Other programs: an argument list, never a shell.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"

namespace slipway {

struct ProcessOptions {
  std::string input;                                    ///< given on standard input
  std::optional<std::vector<std::string>> environment;  ///< `NAME=value`; ours when not given
  std::string working_folder;                           ///< ours when empty
  std::optional<CancelToken> cancel;                    ///< SIGTERM to the child when set
};

struct ProcessResult {
  int status = 0;  ///< exit status, or 128 + signal
  std::string output;
  std::string error_output;
};

/// Runs `arguments[0]` (looked up in PATH) to its end and captures both outputs. Blocks. Fails with
/// NotFound where there is no such program; a non-zero status is no failure.
Result<ProcessResult> run_process(const std::vector<std::string>& arguments,
                                  const ProcessOptions& options = {});

/// The same, but a non-zero status is an Io error that quotes the last lines of standard error.
Result<std::string> run_for_output(const std::vector<std::string>& arguments,
                                   const ProcessOptions& options = {});

/// The path of a program: one that came with this program (base/own_program.h), else one in PATH
/// (and in /usr/sbin, /sbin); nothing when it is not installed.
std::optional<std::string> find_program(std::string_view name);

/// In a child that is about to become another program: no signal is blocked any more, and as many
/// files may be open as when we were started. Async-signal-safe.
void restore_for_exec();

/// What execve(2) takes: borrowed from `strings`, with a null pointer at the end.
std::vector<char*> argument_pointers(const std::vector<std::string>& strings);

}  // namespace slipway
