/// Joining the user namespace that another process of the same user has entered, and seeing what
/// that one has mounted.
///
/// Some mounts (FUSE's) are for the user namespace in which they were made, and those below it. Who
/// wants to use one enters that namespace in place of one of his own, keeps the mounts that he saw
/// before, and takes that one mount over.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace slipway {

/// Which process this is: no later one of this boot has the same text.
Result<std::string> own_process_mark();

struct ProcessNamespaces {
  UniqueFd user, mounts;
};
/// Nothing where that process is gone, or is not to be seen from here (another pid namespace).
/// Denied where it belongs to somebody else.
Result<std::optional<ProcessNamespaces>> open_namespaces(std::string_view process_mark);

/// Makes this process root (uid 0, all capabilities) in that user namespace, with a mount namespace
/// of its own made from the one it is in. For the start of the program, by one thread.
Result<void> join_user_namespace(const UniqueFd& user_namespace);

/// Shows at `folder` what is mounted there in the other namespace. Without mounts below it. By one
/// thread, with mounts of its own; needs open_tree(2), of Linux 5.2.
Result<void> borrow_mount(const UniqueFd& mount_namespace, const std::string& folder);

}  // namespace slipway
