/// The last steps into a user namespace, for those who made one and those who join one.
#pragma once

#include <string_view>

#include "base/error.h"

namespace slipway {

/// Uid and gid 0 and all capabilities of the user namespace that this process is in, with mounts of
/// its own, which it has unshared before.
Result<void> become_mapped_root();

/// What is mounted here from now on is not seen outside; the reverse is.
Result<void> become_private();

/// Whether a process with this /proc/self/mountinfo is in a chroot: where its root folder is,
/// nothing is mounted (proc(5)), and then it gets no user namespaces, whoever it is
/// (user_namespaces(7)). Pure.
bool is_chroot(std::string_view mountinfo);

/// `what: Operation not permitted`, with what the machine's settings say about it. Unsupported.
Error no_namespaces(std::string_view what, int error_number);

}  // namespace slipway
