/// Rows of data/*.toml; only for those who read them.
#pragma once

#include <toml++/toml.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/compatibility.h"

namespace slipway::gpu {

/// One row, read key by key; what was not read at the end is unknown.
class Row {
 public:
  Row(const toml::table& table, std::string_view kind) : table_(table), kind_(kind) {}

  std::string text(std::string_view key) {
    used_.emplace_back(key);
    const auto value = table_[key].value<std::string>();
    if (!value || value->empty()) complain(key);
    return value.value_or("");
  }
  std::string optional_text(std::string_view key) {
    return table_.contains(key) ? text(key) : std::string();
  }
  std::vector<std::string> texts(std::string_view key) {
    std::vector<std::string> all;
    if (!table_.contains(key)) return all;
    used_.emplace_back(key);
    const toml::array* const array = table_[key].as_array();
    if (array == nullptr) complain(key);
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
      const auto value = (*array)[i].value<std::string>();
      if (!value) complain(key);
      all.push_back(value.value_or(""));
    }
    return all;
  }
  bool optional_flag(std::string_view key, bool otherwise) {
    if (!table_.contains(key)) return otherwise;
    used_.emplace_back(key);
    const auto value = table_[key].value<bool>();
    if (!value) complain(key);
    return value.value_or(otherwise);
  }
  ComputeCapability capability(std::string_view key) {
    return checked(key, parse_compute_capability(text(key)));
  }
  std::vector<ComputeCapability> capabilities(std::string_view key) {
    std::vector<ComputeCapability> all;
    for (const std::string& one : texts(key))
      all.push_back(checked(key, parse_compute_capability(one)));
    return all;
  }
  DriverVersion driver(std::string_view key) {
    return checked(key, parse_driver_version(text(key)));
  }
  std::vector<int> branches(std::string_view key) {
    std::vector<int> all;
    for (const std::string& one : texts(key))
      all.push_back(checked(key, parse_driver_version(one)).branch());
    return all;
  }
  std::optional<DriverVersion> optional_driver(std::string_view key) {
    if (!table_.contains(key)) return std::nullopt;
    return driver(key);
  }
  Result<void> finish() {
    text("source");
    for (const auto& [key, value] : table_) {
      if (std::find(used_.begin(), used_.end(), key.str()) == used_.end()) complain(key.str());
    }
    if (problem_.empty()) return {};
    return make_error(ErrorKind::Corrupt, "compatibility data, line {}: {}",
                      table_.source().begin.line, problem_);
  }

 private:
  template <typename T>
  T checked(std::string_view key, Result<T> read) {
    if (!read.ok()) complain(key);
    return read.ok() ? std::move(read).value() : T();
  }
  void complain(std::string_view key) {
    if (problem_.empty()) problem_ = fmt::format("`{}` of a `{}` is not right", key, kind_);
  }
  const toml::table& table_;
  std::string_view kind_;
  std::vector<std::string> used_;
  std::string problem_;
};

/// Takes the row if its table tells of GPUs, drivers and CUDA: the second half of the tables.
bool read_hardware_row(std::string_view kind, Row& row, CompatibilityTables& into);

/// Gives every GPU what its architecture says. Corrupt where a row names one that is not there.
Result<void> link_hardware(CompatibilityTables& tables);

/// Each row of the tables in `text` goes to `read`, which says whether it knows the kind. Fails
/// with Corrupt on unknown tables or keys, and on a row without a source.
using ReadRow = std::function<bool(std::string_view kind, Row& row)>;
Result<void> read_rows(std::string_view text, const ReadRow& read);

}  // namespace slipway::gpu
