/// A container's first process as the kernel shows it to those outside: /proc/<pid> of proc(5).
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace slipway::run {

/// One line of /proc/<pid>/mountinfo.
struct MountLine {
  std::uint64_t id = 0;
  std::string place;                 ///< as the kernel writes it: blanks are `\040`
  std::vector<std::string> options;  ///< of this mount: `ro`, `nosuid`
  std::string type;                  ///< of the file system: `tmpfs`
  std::vector<std::string> details;  ///< of the file system: `size=64k`
};

class ContainerView {
 public:
  /// Fails with Io.
  static Result<ContainerView> open(pid_t pid);

  /// The words behind `name:` in /proc/<pid>/status.
  std::vector<std::string> status(const std::string& name) const;
  /// Soft and hard limit of a line of /proc/<pid>/limits, by its own name (`Max open files`).
  std::optional<std::pair<std::string, std::string>> limit(std::string_view name) const;
  /// The mount whose root lies at `path`; null where that is no mount point. Links in the path are
  /// followed as inside.
  const MountLine* find_mount(const std::string& path) const;
  const std::vector<MountLine>& mounts() const { return mounts_; }
  /// Nothing where there is no such file. Links are followed as inside.
  std::optional<struct stat> find_file(const std::string& path) const;
  /// Device nodes, pipes and sockets below a folder, by path. Not those in mounts where devices are
  /// switched off (nodev), nor terminals (/dev/pts).
  std::map<std::string, struct stat> list_special_files(const std::string& folder) const;

 private:
  ContainerView() = default;
  UniqueFd open_inside(const std::string& path, int flags) const;
  void add_special_files(const std::string& folder,
                         std::map<std::string, struct stat>& found) const;
  UniqueFd root_;
  std::map<std::string, std::vector<std::string>> status_;
  std::string limits_;
  std::vector<MountLine> mounts_;
};

/// One line of mountinfo; nothing where it is none. Pure.
std::optional<MountLine> parse_mount_line(std::string_view line);

}  // namespace slipway::run
