/// What a package asks of another: PEP 508. `torch[opt]>=2.0; python_version < "3.12"`. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "version/marker.h"
#include "version/package_name.h"
#include "version/specifier.h"

namespace slipway::version {

struct Requirement {
  PackageName name;
  std::vector<std::string> extras;  ///< normalised, sorted, each once
  SpecifierSet specifiers;
  std::optional<std::string> url;  ///< of `name @ url`; then there are no specifiers
  std::optional<Marker> marker;

  std::string text() const;
};

/// Specifiers may stand in parentheses, as in old metadata. Fails with InvalidInput.
Result<Requirement> parse_requirement(std::string_view text);

}  // namespace slipway::version
