/// Mounts on which two users have changed places (mount_setattr(2), user_namespaces(7)).
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace slipway::run {

struct IdSwap {
  std::uint32_t one = 0;
  std::uint32_t other = 0;
};

/// The lines of a uid_map that changes the two and leaves all others. Pure.
std::string swap_map_text(const IdSwap& swap);

/// A user namespace with these maps; its process is gone, the descriptor keeps it. Needs the
/// machine's root.
Result<UniqueFd> make_swap_namespace(const IdSwap& users, const IdSwap& groups);

/// Puts the map on a detached mount and on those below it.
Result<void> set_id_map(int mount_fd, int namespace_fd);

}  // namespace slipway::run
