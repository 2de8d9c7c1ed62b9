/// The runtime's instructions: config.json of the OCI runtime specification 1.0.2.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "run/container.h"
#include "run/limits.h"

namespace slipway::run {

/// Whether files of a mount may be executed.
enum class Programs { Allowed, Forbidden };

struct BundleMount {
  std::string source;
  std::string target;
  Access access = Access::ReadOnly;
  Programs programs = Programs::Allowed;
  std::vector<std::string> options = {};                    ///< more of them
  enum class Nodes { Closed, Open } nodes = Nodes::Closed;  ///< `nodev` or not
};

struct BundleDevice {
  std::string path;
  unsigned major = 0;
  unsigned minor = 0;
  mode_t mode = 0666;             ///< permission bits
  char type = 'c';                ///< or 'b', 'u', 'p' (a pipe)
  std::string access = "rw";      ///< empty: none
  std::optional<uid_t> uid = {};  ///< 0 otherwise
  std::optional<gid_t> gid = {};
};

/// Everything that the host decides; the rest is in the request.
struct BundleFacts {
  std::string root_path;
  std::vector<BundleMount> mounts;  ///< in this order, after the fixed ones
  std::vector<BundleDevice> devices;
  ResolvedLimits limits;
  std::string cgroup_path;  ///< empty: no control group of its own
  bool in_user_namespace = false;
  bool has_one_id = false;            ///< base/user_namespace.h
  std::uint64_t most_open_files = 0;  ///< hard limits of this process
  std::uint64_t most_locked_bytes = 0;
};

/// Whether the container gets a user namespace within ours, since ours has no id but root's.
inline bool has_inner_user(const RunRequest& request, bool has_one_id) {
  return has_one_id && (request.uid != 0 || request.gid != 0);
}

/// Pure; the same request and facts give the same text. There are never hooks in it.
std::string write_bundle_config(const RunRequest& request, const BundleFacts& facts);

/// One more process in the same container: the process section alone. Its limits are those of
/// `request.resource_limits`, and otherwise the runtime's own: it does not ask the container's.
std::string write_process(const RunRequest& request);

/// The limits in the text of a config.json. Fails with Corrupt. Pure.
Result<std::vector<ResourceLimit>> parse_bundle_limits(std::string_view text);

}  // namespace slipway::run
