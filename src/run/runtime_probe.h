/// Whether a runtime can start a container on this machine: it is given one of our own making.
///
/// In it is nothing of an image and nothing that a user asked for but the network's kind and the
/// limits: an empty tree with one program that ends at once. So what the runtime says of it is said
/// of the machine.
#pragma once

#include <string>

#include "run/container.h"
#include "run/limits.h"
#include "run/runtime.h"

namespace slipway::run {

struct RuntimeProbe {
  const RuntimeProgram& program;
  const HostLimits& host;
  const ResolvedLimits& limits;
  Network network = Network::Host;
  std::string folder;  ///< ours, not there yet, and where programs may be executed
  std::string group;   ///< control group; empty: none of its own. Left behind, without processes
  std::string id;      ///< for the runtime
};

/// What the runtime said, or how it ended; empty where it works. Blocks for about as long as a
/// start takes. Fails with Io, Denied, Unsupported where it could not be tried.
Result<std::string> probe_runtime(const RuntimeProbe& probe);

/// A program for this machine's processor that ends with status 0: an ELF file of one page. Empty
/// for processors that we know no code for. Pure.
std::string make_tiny_program();

}  // namespace slipway::run
