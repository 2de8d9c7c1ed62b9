/// How an Error looks, and how the program ends with it.
#pragma once

#include <string>

#include "base/error.h"

namespace slipway::cli {

enum class Colour { No, Yes };

/// `error:` and the message, then the steps that were under way, the reasons and the hints, one a
/// line, with a newline at the end:
///
///   error: nothing satisfies `train.toml` on this host
///     while locking `train.toml`
///     because torch 2.6.0+cu124 needs CUDA 12.4
///     and this host has driver 470.82
///   hint: update the driver
///
/// A reason that begins with because, and, so or but keeps its word; so does the list of mistakes
/// in a file, whose reasons begin with their place (`file:line:column:`).
std::string error_text(const Error& error, Colour colour);

/// 1 failed, 2 bad input, 3 no solution, 4 try again, 130 stopped by the user.
int exit_code(ErrorKind kind);

}  // namespace slipway::cli
