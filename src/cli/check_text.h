/// How the answer of `slipway check` looks: a table for people, an object for programs.
#pragma once

#include <span>
#include <string>

#include "cli/print_error.h"
#include "plan/check_environment.h"

namespace slipway::cli {

/// Layer by layer, what is wrong in full, what is right in short; the verdict in the last line.
std::string check_table(const std::string& environment, std::span<const plan::HostVerdict> hosts,
                        Colour colour);

/// docs/formats/check.md, with a newline at the end.
std::string check_json(std::span<const plan::HostVerdict> hosts);

/// Of all hosts together.
gpu::Verdict worst_of(std::span<const plan::HostVerdict> hosts);

}  // namespace slipway::cli
