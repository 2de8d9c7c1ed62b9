/// Whether this user could show an image through FUSE, found out by mounting one.
#pragma once

#include "base/error.h"

namespace slipway::lazy {

/// A process of its own mounts a file system where nobody else sees it: as root, or in a user
/// namespace that it enters, and with the calls that sharing that mount takes
/// (base/joined_namespace.h). Unsupported says what does not work here. By one thread.
Result<void> try_fuse();

}  // namespace slipway::lazy
