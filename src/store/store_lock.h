/// The lock file of the store, and who holds it. Private to `store`.
#pragma once

#include <chrono>
#include <string>

#include "base/cancel.h"
#include "base/error.h"
#include "base/reporter.h"
#include "base/unique_fd.h"

namespace slipway::store {

enum class LockMode { Shared, Exclusive };

/// flock(2) without waiting: false where others hold it in a mode that excludes ours. Asking for
/// another mode on a descriptor that holds one already may lose it (flock(2), NOTES).
Result<bool> try_flock(int fd, LockMode mode, const std::string& shown);

/// Waits, asking again every few milliseconds so that `cancel` is heard. After a moment one note
/// says for whom.
Result<void> wait_for_flock(int fd, LockMode mode, const std::string& path, Reporter& reporter,
                            const CancelToken& cancel);

/// "process 123 (`slipway build`)", from /proc/locks; "another process" where it does not say.
std::string describe_holders(int fd);

/// Removes all that tmp/ holds: only while locks/store is held exclusively.
Result<void> empty_folder(const std::string& folder);

}  // namespace slipway::store
