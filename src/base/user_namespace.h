/// Acting as root without being root.
///
/// As root nothing is needed. An ordinary user enters a user namespace in which the caller's own id
/// is the id of the image's user, and every other id comes from the user's subordinate ranges
/// (subuid(5), subgid(5)); newuidmap(1) and newgidmap(1), setuid programs of Debian's `uidmap`,
/// write the maps. With U for the image's user, `start` for the first subordinate id:
///
///   inside            outside
///   0 … U-1           start … start+U-1
///   U                 the caller
///   U+1 …             start+U …
///
/// Where the user has no such ranges, or no newuidmap, one id must do: 0 inside is the caller, and
/// there is no other. Trees unpacked then belong to the caller altogether, and a container whose
/// user is not 0 gets a user namespace of its own within, in which the caller has that user's id.
///
/// So a tree unpacked inside has the owners that a container under the same map sees, and what the
/// image's user writes to the caller's folders belongs to the caller.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway {

struct IdRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  bool operator==(const IdRange&) const = default;
};

/// One line of /proc/<pid>/uid_map (user_namespaces(7)).
struct IdMapping {
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;
  std::uint32_t count = 0;
  bool operator==(const IdMapping&) const = default;
};

/// The ranges that subuid(5) or subgid(5) text grants to the user, by name or by number, in the
/// order of the file. Lines that make no sense are skipped, as newuidmap skips them. Pure.
std::vector<IdRange> parse_subordinate_ranges(std::string_view text, std::string_view user_name,
                                              uid_t user);

/// The map of the table above. Empty ranges give only the line of the image's user. Pure.
std::vector<IdMapping> make_id_map(const std::vector<IdRange>& ranges, std::uint32_t caller,
                                   std::uint32_t image_id);

struct UserNamespaceRequest {
  uid_t image_uid = 1000;
  gid_t image_gid = 1000;
  /// As root: also leave the host's mount namespace, so that mounts made here die with us. In a
  /// user namespace that is always so.
  enum class Mounts { Shared, Private } mounts = Mounts::Shared;
  /// Many: fails where the user has no subordinate ids. OneIsEnough: then goes on with one.
  enum class Ids { Many, OneIsEnough } ids = Ids::Many;
};

struct NamespaceInfo {
  bool entered = false;  ///< false: we were root already, and still are the same root
  uid_t owner_uid = 0;   ///< who owns blobs, refs, …: the caller, as seen from here
  gid_t owner_gid = 0;
  std::vector<IdMapping> uid_map;  ///< empty where nothing was entered
  std::vector<IdMapping> gid_map;
};

/// What `enter_user_namespace` would fail with for want of ids; nothing as root.
Result<void> check_ids(const UserNamespaceRequest& request);

/// Makes this process root (uid 0, all capabilities) in a user and mount namespace as above; the
/// caller's supplementary groups stay. For the start of the program: fails with Unsupported once
/// there is a second thread. Other failures: Unsupported (no newuidmap, no ranges, namespaces
/// switched off), each with the remedy as its hint.
Result<NamespaceInfo> enter_user_namespace(const UserNamespaceRequest& request);

/// True where our user id 0 is not the machine's: mounts and devices are restricted then.
bool in_user_namespace();

/// True where the process's user namespace has one user id: nothing can be given to anybody else.
bool has_one_id(const std::string& process = "self");

}  // namespace slipway
