#include "base/own_program.h"

#include <unistd.h>

#include <array>

#include "base/file.h"

namespace slipway {
namespace {

Result<std::string> read_own_link() {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return errno_error("cannot find this program's own file");
  return std::string(path.data(), static_cast<std::size_t>(size));
}

}  // namespace

std::string find_launcher(std::string_view executable) {
  const std::string folder = parent_path(executable);
  if (base_name(folder) != "loader") return "";
  const std::string top = parent_path(folder);
  const std::string name = base_name(executable);
  const std::string launcher = join_path(top, "bin/" + name);
  const std::string program = join_path(top, "libexec/" + name);
  const bool is_whole =
      ::access(launcher.c_str(), X_OK) == 0 && ::access(program.c_str(), X_OK) == 0;
  return is_whole ? launcher : "";
}

Result<std::string> find_own_program() {
  const std::string executable = TRY(read_own_link());
  const std::string launcher = find_launcher(executable);
  return launcher.empty() ? executable : launcher;
}

std::string carried_programs_folder() {
  static const std::string folder = [] {
    const auto executable = read_own_link();
    const std::string launcher = executable.ok() ? find_launcher(*executable) : "";
    return launcher.empty() ? "" : parent_path(launcher);
  }();
  return folder;
}

}  // namespace slipway
