/// A TOML document as a tree of values that know where they stand in the file.
///
/// toml++ stays behind parse_document. Its parser and its destructors recurse with the depth of the
/// document, and a dotted key may be as deep as a line is long: kMostDepth bounds both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace slipway::spec {

inline constexpr std::size_t kMostDepth = 40;

/// Both count from 1; columns count characters, not bytes.
struct Position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  auto operator<=>(const Position&) const = default;
};

struct Value;

struct Table {
  struct Entry;
  std::map<std::string, Entry> entries;
};

using Array = std::vector<Value>;

/// A TOML type that no file of ours uses: dates and times.
struct OtherType {
  std::string name;
};

struct Value {
  std::variant<std::string, std::int64_t, double, bool, Array, Table, OtherType> data;
  Position position;
  /// "a string", "an integer", ... : how messages call it.
  std::string_view type_name() const;
};

struct Table::Entry {
  Position key_position;
  Value value;
};

/// Fails with InvalidInput at `file:line:column`, also for a document over `most_bytes`.
Result<Value> parse_document(std::string_view text, std::string_view file_name,
                             std::size_t most_bytes);

}  // namespace slipway::spec
