#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <set>

#include "base/file.h"
#include "run/port_map.h"

namespace slipway::run {
namespace {

constexpr std::string_view kListening = "0A";  // TCP_LISTEN, include/net/tcp_states.h

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(' '); at != std::string_view::npos;) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(' ', end);
  }
  return words;
}

/// Inodes of the sockets bound to the port, from a table like /proc/net/tcp (proc(5)): local
/// address:port in hexadecimal in the second column, the state in the fourth, the inode in the
/// tenth.
void add_inodes(const std::string& table, std::uint16_t port, Protocol protocol,
                std::set<std::string>& inodes) {
  const Result<std::string> text = read_file(table);
  if (!text.ok()) return;
  const std::string suffix = fmt::format(":{:04X}", port);
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::vector<std::string_view> words = words_of(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (words.size() < 10 || !words[1].ends_with(suffix)) continue;
    if (protocol == Protocol::Tcp && words[3] != kListening) continue;
    inodes.insert(fmt::format("socket:[{}]", words[9]));
  }
}

bool holds_one(const std::string& process, const std::set<std::string>& inodes) {
  const std::string folder = process + "/fd";
  const auto names = list_folder(folder);
  if (!names.ok()) return false;
  for (const std::string& name : *names) {
    std::array<char, 64> target{};
    const ssize_t size =
        ::readlink(join_path(folder, name).c_str(), target.data(), target.size() - 1);
    if (size > 0 && inodes.contains(std::string(target.data(), static_cast<std::size_t>(size)))) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string find_port_owner(std::uint16_t port, Protocol protocol) {
  const std::string kind = protocol == Protocol::Tcp ? "tcp" : "udp";
  std::set<std::string> inodes;
  add_inodes("/proc/net/" + kind, port, protocol, inodes);
  add_inodes("/proc/net/" + kind + "6", port, protocol, inodes);
  const auto names = list_folder("/proc");
  if (inodes.empty() || !names.ok()) return {};
  for (const std::string& name : *names) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string process = "/proc/" + name;
    if (!holds_one(process, inodes)) continue;
    Result<std::string> command = read_file(process + "/comm");
    if (!command.ok()) return fmt::format("process {}", name);
    while (command->ends_with('\n')) command->pop_back();
    return fmt::format("`{}` (process {})", *command, name);
  }
  return {};
}

}  // namespace slipway::run
