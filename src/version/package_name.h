/// The name of a Python project or of an extra, as indexes compare it.
///
/// PEP 503: lower case, runs of `-`, `_` and `.` are one `-`. PEP 508: ASCII letters and digits at
/// both ends. Pure.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::version {

class PackageName {
 public:
  /// Fails with InvalidInput where PEP 508 does not allow the name.
  static Result<PackageName> parse(std::string_view text);

  /// Normalised.
  const std::string& text() const { return text_; }

  auto operator<=>(const PackageName&) const = default;

 private:
  explicit PackageName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace slipway::version

template <>
struct std::hash<slipway::version::PackageName> {
  std::size_t operator()(const slipway::version::PackageName& name) const noexcept {
    return std::hash<std::string>()(name.text());
  }
};
