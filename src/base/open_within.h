/// openat2(2), for paths that must not lead out of a folder.
#pragma once

#include <linux/openat2.h>
#include <sys/types.h>

namespace slipway {

/// A descriptor, or -1 and errno. `resolve` is RESOLVE_BENEATH or RESOLVE_IN_ROOT, and more; magic
/// links are never followed, and O_CLOEXEC is always set. Where the kernel cannot tell whether a
/// `..` leads out, since anything was renamed or mounted meanwhile on this machine (EAGAIN), it is
/// asked again. Async-signal-safe.
int open_within(int folder, const char* path, int flags, unsigned long long resolve,
                mode_t mode = 0);

}  // namespace slipway
