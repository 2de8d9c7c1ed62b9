/// A container's standard streams stay the host's.
///
/// Runtimes give what they find at 0, 1 and 2 to the container's user (fchown(2)), so that it may
/// open /dev/stdout anew. As root that would leave the caller's log with another owner, and even
/// /dev/null: whoever owns a file may close it to all others.
#pragma once

#include <sys/types.h>

#include <array>

#include "base/error.h"
#include "base/unique_fd.h"

namespace slipway::run {

/// /dev/null, through a read-only mount where the kernel lets us: no one can change its owner or
/// mode through the descriptor. `flags` as of open(2).
Result<UniqueFd> open_null(int flags);

/// Puts the owners of three descriptors back at the end of its life, if they have changed.
class StreamOwners {
 public:
  /// Borrowed: they must stay open for its life.
  explicit StreamOwners(std::array<int, 3> descriptors);
  StreamOwners(const StreamOwners&) = delete;
  StreamOwners& operator=(const StreamOwners&) = delete;
  ~StreamOwners();

 private:
  struct Stream {
    int descriptor = -1;
    uid_t uid = 0;
    gid_t gid = 0;
  };
  std::array<Stream, 3> streams_;
};

}  // namespace slipway::run
