/// The device nodes, pipes and sockets below a container's /dev, held against those planned for it.
#pragma once

#include <sys/stat.h>

#include <map>
#include <string>
#include <vector>

#include "run/container_view.h"

namespace slipway::run {

/// What a program can open there: S_IFCHR, S_IFBLK, S_IFIFO or S_IFSOCK, and the number of a
/// device.
struct SpecialFile {
  mode_t kind = 0;
  dev_t number = 0;
  bool operator==(const SpecialFile&) const = default;
};

/// Nothing where it is none.
std::optional<SpecialFile> special_file_of(const struct stat& facts);

struct Difference {
  std::string what, planned, found;
};

/// `planned` by path. Those that every container has need not be among them; /dev/console is one of
/// these where the process has a terminal.
enum class HasTerminal { No, Yes };
std::vector<Difference> compare_special_files(const ContainerView& view,
                                              const std::map<std::string, SpecialFile>& planned,
                                              HasTerminal terminal);

}  // namespace slipway::run
