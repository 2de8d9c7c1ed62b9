#include "cli/words.h"

#include <string_view>

namespace slipway::cli {

std::vector<std::string> split_commas(const std::vector<std::string>& values) {
  std::vector<std::string> all;
  for (const std::string& value : values) {
    std::string_view rest = value;
    for (;;) {
      const std::size_t comma = rest.find(',');
      all.emplace_back(rest.substr(0, comma));
      if (comma == std::string_view::npos) break;
      rest = rest.substr(comma + 1);
    }
  }
  return all;
}

}  // namespace slipway::cli
