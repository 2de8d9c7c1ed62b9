/// Reads a Table strictly: each key that is asked for becomes known, and what is left over at the
/// end is a mistake. Mistakes are collected, so that the user sees all of them at once.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "spec/document.h"

namespace slipway::spec {

/// The mistakes of one file.
class Problems {
 public:
  explicit Problems(std::string_view file_name) : file_name_(file_name) {}

  void add(Position at, std::string message, std::string hint = {},
           ErrorKind kind = ErrorKind::InvalidInput);
  bool empty() const { return list_.empty(); }
  /// One error for all of them, in the order of the file: Unsupported only if each of them is.
  Result<void> result() const;

 private:
  struct Problem {
    Position at;
    std::string message;
    std::string hint;
    ErrorKind kind;
  };
  std::string file_name_;
  std::vector<Problem> list_;
};

/// A value with what a message about it needs.
template <typename T>
struct Read {
  T value;
  Position at;
  std::string key;  ///< dotted: `image.name`, `python.packages[2]`
};

enum class Presence { Optional, Required };

/// Borrows the table and the problems. What a getter returns nothing for is either not there or
/// has been reported.
class TableReader {
 public:
  TableReader(const Table& table, Position at, std::string dotted_name, Problems& problems)
      : table_(table), at_(at), name_(std::move(dotted_name)), problems_(problems) {}

  std::optional<Read<std::string>> text(std::string_view key, Presence = Presence::Optional);
  std::optional<Read<std::int64_t>> integer(std::string_view key, Presence = Presence::Optional);
  std::optional<Read<double>> number(std::string_view key);  ///< an integer will do
  /// A list that is required may not be empty.
  std::vector<Read<std::string>> texts(std::string_view key, Presence = Presence::Optional);
  /// A string, or a list of them.
  std::vector<Read<std::string>> text_or_texts(std::string_view key);
  std::optional<TableReader> table(std::string_view key);
  /// The elements of `[[key]]`.
  std::vector<TableReader> tables(std::string_view key);
  /// Every key of this table, each of which has to be a table: `[modes.NAME]`.
  std::vector<std::pair<std::string, TableReader>> all_tables();

  /// Keys that a later version will read.
  void not_yet(std::initializer_list<std::string_view> keys);
  /// Reports what nobody asked for. `elsewhere`: dotted names that exist in other tables, for "it
  /// belongs in ...".
  void refuse_the_rest(std::span<const std::string> elsewhere = {});

  void problem(Position at, std::string message, std::string hint = {},
               ErrorKind kind = ErrorKind::InvalidInput) {
    problems_.add(at, std::move(message), std::move(hint), kind);
  }
  std::string dotted(std::string_view key) const;
  Position at() const { return at_; }

 private:
  const Table::Entry* find(std::string_view key, Presence presence);
  void wrong_type(const std::string& key, const Value& value, std::string_view wanted,
                  std::string_view example);
  std::vector<Read<std::string>> read_list(const std::string& key, const Array& list);

  const Table& table_;
  Position at_;
  std::string name_;
  Problems& problems_;
  std::vector<std::string> known_;
  std::vector<std::string> later_;
};

}  // namespace slipway::spec
