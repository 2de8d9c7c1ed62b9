/// YAML 1.1 and JSON, which YAML takes in, as a tree: libyaml's events, put together.
///
/// libyaml is what the YAML library of Go was translated from, which the CDI library reads with:
/// both take and refuse the same texts. What could blow up is bounded: nesting, and how much
/// aliases make of a small text. Private to this module.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::cdi {

struct YamlNode {
  enum class Kind { Scalar, List, Table };
  enum class Style { Plain, Quoted };
  Kind kind = Kind::Scalar;
  Style style = Style::Plain;
  std::string text;               ///< of a scalar, as written
  std::vector<std::string> keys;  ///< of a table, without doubles, in their order
  std::vector<YamlNode> items;    ///< of a list, or a table's values
  std::size_t line = 0;           ///< from 1

  /// `~`, `null` or nothing at all, not quoted.
  bool is_null() const;
};

/// The first document. Fails with InvalidInput: no YAML, none at all, deeper than 32, larger than
/// 16 MiB with its aliases followed, keys that are no text or come twice, tags beyond YAML's own
/// for text, numbers, lists and tables.
Result<YamlNode> parse_yaml(std::string_view text);

}  // namespace slipway::cdi
