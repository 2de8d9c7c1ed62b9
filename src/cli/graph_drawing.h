/// A graph drawn with lines as a tree, in which each node stands once with what is below it.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace slipway::cli {

/// Name -> how it is shown; a name without one is shown as it is.
using Labels = std::map<std::string, std::string>;
/// The names below a name, in order.
using Children = std::function<std::vector<std::string>(const std::string& name)>;

class Drawing {
 public:
  Drawing(Labels labels, Children children)
      : labels_(std::move(labels)), children_(std::move(children)) {}

  void draw(const std::vector<std::string>& names) { draw(names, ""); }
  /// With a line that says what `(*)` means, where it was drawn.
  std::string text() const;

 private:
  void draw(const std::vector<std::string>& names, const std::string& indent);
  std::string label(const std::string& name) const;

  Labels labels_;
  Children children_;
  std::string text_;
  bool has_repeats_ = false;
  std::set<std::string> drawn_;
};

}  // namespace slipway::cli
