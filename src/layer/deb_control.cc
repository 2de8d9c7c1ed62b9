#include <map>

#include "layer/deb_archive.h"

namespace slipway::layer {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_field(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view take_part(std::string_view& rest, char separator) {
  const auto part = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  return part;
}

/// The name at the front of `libc6 (>= 2.36)` or `python3:any`.
std::string relation_name(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin);
  return std::string(text.substr(0, text.find_first_of(" \t\n(:[<")));
}

std::vector<std::vector<std::string>> parse_elements(std::string_view text) {
  std::vector<std::vector<std::string>> elements;
  while (!text.empty()) {
    auto part = take_part(text, ',');
    std::vector<std::string> names;
    while (!part.empty()) {
      auto name = relation_name(take_part(part, '|'));
      if (!name.empty()) names.push_back(std::move(name));
    }
    if (!names.empty()) elements.push_back(std::move(names));
  }
  return elements;
}

/// The fields of the first paragraph, continuation lines joined.
std::map<std::string, std::string> fields_of(std::string_view text) {
  std::map<std::string, std::string> fields;
  std::string last;
  while (!text.empty()) {
    const auto line = take_part(text, '\n');
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') {
      if (!last.empty()) fields[last].append(line);
      continue;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    last.clear();
    for (const std::string_view known :
         {"package", "essential", "depends", "pre-depends", "provides"}) {
      if (same_field(line.substr(0, colon), known)) last = known;
    }
    if (!last.empty()) fields[last] = line.substr(colon + 1);
  }
  return fields;
}

/// Walks the dependencies depth first.
class Walk {
 public:
  explicit Walk(const std::vector<DebControl>& controls)
      : controls_(controls), seen_(controls.size()) {
    for (std::size_t i = 0; i < controls.size(); ++i) by_name_.emplace(controls[i].package, i);
    for (std::size_t i = 0; i < controls.size(); ++i) {
      for (const auto& name : controls[i].provides) by_name_.emplace(name, i);
    }
  }

  void visit(std::size_t index) {
    if (seen_[index]) return;
    seen_[index] = true;
    for (const auto& alternatives : controls_[index].depends) {
      for (const auto& name : alternatives) {
        const auto found = by_name_.find(name);
        if (found == by_name_.end()) continue;
        visit(found->second);
        break;
      }
    }
    order.push_back(index);
  }

  std::vector<std::size_t> order;

 private:
  const std::vector<DebControl>& controls_;
  std::vector<bool> seen_;
  std::map<std::string, std::size_t> by_name_;
};

}  // namespace

Result<DebControl> parse_deb_control(std::string_view text) {
  auto fields = fields_of(text);
  DebControl control;
  control.package = relation_name(fields["package"]);
  if (control.package.empty()) {
    return make_error(ErrorKind::Corrupt, "a control file names no package");
  }
  control.is_essential = relation_name(fields["essential"]) == "yes";
  control.depends = parse_elements(fields["pre-depends"]);
  for (auto& element : parse_elements(fields["depends"])) {
    control.depends.push_back(std::move(element));
  }
  for (auto& element : parse_elements(fields["provides"])) {
    control.provides.push_back(std::move(element.front()));
  }
  return control;
}

InstallOrder plan_install_order(const std::vector<DebControl>& controls) {
  Walk walk(controls);
  for (std::size_t i = 0; i < controls.size(); ++i) {
    if (controls[i].is_essential) walk.visit(i);
  }
  InstallOrder order;
  order.base_count = walk.order.size();
  for (std::size_t i = 0; i < controls.size(); ++i) walk.visit(i);
  order.order = std::move(walk.order);
  return order;
}

}  // namespace slipway::layer
