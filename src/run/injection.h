/// What a device of a CDI specification brings into a container, as plan has it from the files.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace slipway::run {

struct InjectedNode {
  std::string source, target;  ///< of the host; inside, in /dev
  char type = 0;               ///< 'b', 'c', 'u', 'p'; 0: as the host's
  std::int64_t major = 0;      ///< 0: as the host's
  std::int64_t minor = 0;
  std::optional<mode_t> mode;  ///< permission bits; as the host's otherwise
  std::string access;          ///< of "rwm"
  std::optional<uid_t> uid;    ///< the command's otherwise
  std::optional<gid_t> gid;
};

struct InjectedMount {
  std::string source, target;
  std::vector<std::string> options;  ///< of "ro", "noexec"; `nosuid` and `nodev` are always there
};

struct InjectedLink {
  std::string folder;  ///< inside, without links in it, where it is not in /dev
  std::string name, target;
};

struct Injection {
  std::vector<std::string> names;     ///< the devices, `vendor.com/class=name`
  std::vector<std::string> files;     ///< the specifications they stand in
  std::vector<std::string> left_out;  ///< hooks, in words, that the user does without
  std::vector<InjectedNode> nodes;
  std::vector<InjectedMount> mounts;
  std::vector<InjectedLink> links;
  std::vector<std::string> loader_folders;  ///< for the next ldconfig inside
  std::string loader_cache;                 ///< what /etc/ld.so.cache shall be; empty: as it is
  bool is_empty() const { return names.empty(); }
};

}  // namespace slipway::run
