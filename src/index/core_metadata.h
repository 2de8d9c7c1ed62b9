/// A wheel's METADATA file: the fields that a solver needs. Pure.
///
/// Format: Core metadata specifications 2.x: RFC 822 headers, folded lines begin with white space,
/// the body (the description) follows an empty line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::index {

struct CoreMetadata {
  std::string name;
  std::string version;
  std::vector<std::string> requires_dist;  ///< PEP 508 texts, as they stand
  std::string requires_python;
  std::vector<std::string> provides_extra;

  bool operator==(const CoreMetadata&) const = default;
};

/// Fails with Corrupt when Name or Version is missing.
Result<CoreMetadata> parse_core_metadata(std::string_view text);

}  // namespace slipway::index
