/// Programs whose work may be lost need not wait for the disk.
#pragma once

#include <functional>

#include "base/error.h"

namespace slipway::layer {

/// Calls `work` on a thread for which, and for whose children, fsync(2) and its kin succeed without
/// doing anything (a seccomp filter, inherited over fork and exec). dpkg syncs its database with
/// every step: on a busy disk that is four fifths of the time of an installation, and of no use for
/// a tree that is thrown away unless the whole of it succeeds. Where filters are not to be had, the
/// work is only slower. Needs root, as base/sandbox.h does.
Result<void> without_sync(const std::function<Result<void>()>& work);

}  // namespace slipway::layer
