#include "run/device_check.h"

#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <array>

namespace slipway::run {
namespace {

struct UsualDevice {
  const char* path;
  unsigned major, minor;
};

/// Every container has these (OCI runtime specification, config-linux, "Default Devices"; the
/// numbers are those of the kernel's devices.txt).
constexpr std::array kUsualDevices{
    UsualDevice{"/dev/null", 1, 3},    UsualDevice{"/dev/zero", 1, 5},
    UsualDevice{"/dev/full", 1, 7},    UsualDevice{"/dev/random", 1, 8},
    UsualDevice{"/dev/urandom", 1, 9}, UsualDevice{"/dev/tty", 5, 0}};

std::string describe(const std::optional<SpecialFile>& file) {
  if (!file) return "none";
  if (S_ISFIFO(file->kind)) return "a pipe";
  if (S_ISSOCK(file->kind)) return "a socket";
  return fmt::format("{}{}:{}", S_ISBLK(file->kind) ? "block " : "", major(file->number),
                     minor(file->number));
}

}  // namespace

std::optional<SpecialFile> special_file_of(const struct stat& facts) {
  const mode_t kind = facts.st_mode & S_IFMT;
  if (kind == S_IFCHR || kind == S_IFBLK) return SpecialFile{kind, facts.st_rdev};
  if (kind == S_IFIFO || kind == S_IFSOCK) return SpecialFile{kind, 0};
  return std::nullopt;
}

std::vector<Difference> compare_special_files(const ContainerView& view,
                                              const std::map<std::string, SpecialFile>& planned,
                                              HasTerminal terminal) {
  std::map<std::string, SpecialFile> expected = planned;
  for (const UsualDevice& usual : kUsualDevices) {
    expected.try_emplace(usual.path, SpecialFile{S_IFCHR, makedev(usual.major, usual.minor)});
  }
  std::vector<Difference> differences;
  for (const auto& [path, file] : expected) {
    const auto facts = view.find_file(path);
    const auto found = facts ? special_file_of(*facts) : std::nullopt;
    if (found != file) differences.push_back({"device " + path, describe(file), describe(found)});
  }
  for (const auto& [path, facts] : view.list_special_files("/dev")) {
    // Which terminal it is, the runtime decides.
    const bool is_console = terminal == HasTerminal::Yes && path == "/dev/console";
    if (!is_console && !expected.contains(path)) {
      differences.push_back({"device " + path, "none", describe(special_file_of(facts))});
    }
  }
  return differences;
}

}  // namespace slipway::run
