#include "base/process_stat.h"

#include <algorithm>

namespace slipway {

std::string_view process_stat_field(std::string_view stat, int number) {
  constexpr int kFirstBehindName = 3;
  // The name, in parentheses, may hold anything.
  stat.remove_prefix(std::min(stat.rfind(')') + 2, stat.size()));
  for (int field = kFirstBehindName; field < number; ++field) {
    stat.remove_prefix(std::min(stat.find(' '), stat.size()));
    stat.remove_prefix(std::min<std::size_t>(1, stat.size()));
  }
  return stat.substr(0, stat.find(' '));
}

std::string_view process_status_field(std::string_view status, std::string_view name) {
  while (!status.empty()) {
    std::string_view line = status.substr(0, status.find('\n'));
    status.remove_prefix(std::min(line.size() + 1, status.size()));
    if (!line.starts_with(name) || !line.substr(name.size()).starts_with(":\t")) continue;
    line.remove_prefix(name.size() + 2);
    return line;
  }
  return {};
}

}  // namespace slipway
