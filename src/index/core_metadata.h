/// A wheel's METADATA file: what a solver needs, and what a bill of materials tells. Pure.
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
  std::string summary = {};
  std::string homepage = {};                  ///< Home-page, else the `homepage` among Project-URLs
  std::string author = {};                    ///< a name, or names with addresses
  std::string licence_expression = {};        ///< License-Expression (PEP 639)
  std::string licence = {};                   ///< License: a name or a whole text, lines kept
  std::vector<std::string> classifiers = {};  ///< those that begin with `License ::`

  bool operator==(const CoreMetadata&) const = default;
};

/// Fails with Corrupt when Name or Version is missing.
Result<CoreMetadata> parse_core_metadata(std::string_view text);

}  // namespace slipway::index
