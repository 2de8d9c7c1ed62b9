#include "cli/graph_drawing.h"

#include <fmt/format.h>

namespace slipway::cli {

void Drawing::draw(const std::vector<std::string>& names, const std::string& indent) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool is_last = i + 1 == names.size();
    const std::vector<std::string> below = children_(names[i]);
    const bool is_new = drawn_.insert(names[i]).second;
    text_ += fmt::format("{}{} {}{}\n", indent, is_last ? "└─" : "├─", label(names[i]),
                         is_new || below.empty() ? "" : " (*)");
    if (is_new) draw(below, indent + (is_last ? "   " : "│  "));
    has_repeats_ = has_repeats_ || (!is_new && !below.empty());
  }
}

std::string Drawing::text() const {
  return text_ + (has_repeats_ ? "(*) what is below it stands further up\n" : "");
}

std::string Drawing::label(const std::string& name) const {
  const auto found = labels_.find(name);
  return found == labels_.end() ? name : found->second;
}

}  // namespace slipway::cli
