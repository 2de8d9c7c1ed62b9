/// Who may touch the store at the same time as whom.
///
/// A Lease is a shared flock(2) on locks/store: every process that writes, or that looks an image
/// up in order to use it, holds one. Garbage collection takes the same lock exclusively, so it
/// never sees what a build has written and not yet referenced. A run holds its Lease only until its
/// record names the image (run/record.h): what records name stays, so a long run blocks nobody.
///
/// The kernel drops the lock when its last holder dies: nothing is ever stale.
#pragma once

#include <utility>

#include "base/cancel.h"
#include "base/error.h"
#include "base/reporter.h"
#include "base/unique_fd.h"

namespace slipway::store {

class Store;

/// Movable; released at the end of its life. Any number of threads may work under one.
class Lease {
 private:
  friend class Store;
  explicit Lease(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace slipway::store
