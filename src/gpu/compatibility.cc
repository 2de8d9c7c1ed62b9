#include "gpu/compatibility.h"

#include <toml++/toml.h>

#include <algorithm>

namespace slipway::gpu {

extern const std::string_view kCompatibilityText;

namespace {

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
  void complain(std::string_view key) {
    if (problem_.empty()) problem_ = fmt::format("`{}` of a `{}` is not right", key, kind_);
  }
  const toml::table& table_;
  std::string_view kind_;
  std::vector<std::string> used_;
  std::string problem_;
};

void read_row(std::string_view kind, Row& row, CompatibilityTables& into) {
  if (kind == "driver_library")
    into.driver_libraries.push_back({row.text("name"), row.text("capability")});
  if (kind == "preload")
    into.preloads.push_back({row.text("package"), row.optional_text("after"), row.texts("marks"),
                             row.texts("packages"), row.texts("loads")});
  if (kind == "optional_gap")
    into.optional_gaps.push_back(
        {row.text("package"), row.text("library"), row.optional_text("path"), row.text("reason")});
  if (kind == "torch_build") into.torch_builds.push_back({row.text("torch"), row.text("cuda")});
  if (kind == "companion")
    into.companions.push_back({row.text("package"), row.text("version"), row.text("torch")});
  if (kind == "cuda_library") into.cuda_libraries.push_back({row.text("name")});
  if (kind == "debian_library")
    into.debian_libraries.push_back({row.text("library"), row.text("package")});
}

constexpr std::string_view kKinds[] = {"driver_library", "preload",   "optional_gap",
                                       "torch_build",    "companion", "cuda_library",
                                       "debian_library"};

Result<void> read_tables(const toml::table& root, CompatibilityTables& into) {
  for (const auto& [kind, node] : root) {
    const toml::array* const rows = node.as_array();
    const std::string_view name = kind.str();
    if (rows == nullptr ||
        std::find(std::begin(kKinds), std::end(kKinds), name) == std::end(kKinds))
      return make_error(ErrorKind::Corrupt, "compatibility data: unknown table `{}`", name);
    for (const toml::node& item : *rows) {
      const toml::table* const table = item.as_table();
      if (table == nullptr)
        return make_error(ErrorKind::Corrupt, "compatibility data: `{}` holds no rows", name);
      Row row(*table, name);
      read_row(name, row, into);
      TRY(row.finish());
    }
  }
  return {};
}

}  // namespace

Result<CompatibilityTables> parse_compatibility(std::string_view text) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return make_error(ErrorKind::Corrupt, "compatibility data, line {}: {}",
                      error.source().begin.line, error.description());
  }
  CompatibilityTables tables;
  TRY(read_tables(root, tables));
  return tables;
}

const CompatibilityTables& compatibility_tables() {
  static const CompatibilityTables tables = parse_compatibility(kCompatibilityText).value();
  return tables;
}

const DriverLibrary* find_driver_library(const CompatibilityTables& tables,
                                         std::string_view file_name) {
  for (const DriverLibrary& library : tables.driver_libraries) {
    if (!file_name.starts_with(library.name)) continue;
    const std::string_view rest = file_name.substr(library.name.size());
    if (rest == ".so" || rest.starts_with(".so.")) return &library;
  }
  return nullptr;
}

}  // namespace slipway::gpu
