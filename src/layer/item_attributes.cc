#include "layer/item_attributes.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

namespace slipway::layer {

bool is_wanted_attribute(std::string_view name) {
  return name == "security.capability" ||
         (name.starts_with("user.") && !name.starts_with("user.overlay."));
}

std::uint64_t set_attributes(int fd, const TarItem& item) {
  std::uint64_t left_out = 0;
  for (const auto& [name, value] : item.attributes) {
    const bool is_set = is_wanted_attribute(name) &&
                        ::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) == 0;
    if (!is_set) ++left_out;
  }
  return left_out;
}

Result<void> give_away(int fd, const TarItem& item, Owners owners) {
  if (owners == Owners::Caller) return {};
  // Also where it should be ours: in a folder with the set-group-id bit it is the folder's group's.
  if (::fchownat(fd, "", item.uid, item.gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0) return {};
  if (errno != EINVAL) return errno_error(fmt::format("cannot give away `{}`", item.path));
  return make_error(ErrorKind::Unsupported,
                    "has `{}` of user {} and group {}, which this user's ids do not reach",
                    item.path, item.uid, item.gid)
      .hint("grant more ids in /etc/subuid and /etc/subgid, or act as root");
}

timespec time_of(const TarItem& item) {
  return {static_cast<time_t>(item.time_seconds), static_cast<long>(item.time_nanoseconds)};
}

Error failed(std::string_view what, std::string_view path) {
  return errno_error(fmt::format("cannot {} `{}` of the layer", what, path));
}

}  // namespace slipway::layer
