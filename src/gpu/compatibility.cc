#include "gpu/compatibility.h"

#include "gpu/compatibility_row.h"

namespace slipway::gpu {

extern const std::string_view kCompatibilityText;

namespace {

/// Whether it is a table that we know.
bool read_row(std::string_view kind, Row& row, CompatibilityTables& into) {
  if (kind == "driver_library") {
    into.driver_libraries.push_back({row.text("name"), row.text("capability")});
  } else if (kind == "preload") {
    into.preloads.push_back({row.text("package"), row.optional_text("after"), row.texts("marks"),
                             row.texts("packages"), row.texts("loads")});
  } else if (kind == "optional_gap") {
    into.optional_gaps.push_back(
        {row.text("package"), row.text("library"), row.optional_text("path"), row.text("reason")});
  } else if (kind == "torch_build") {
    into.torch_builds.push_back({row.text("torch"), row.text("cuda")});
  } else if (kind == "companion") {
    into.companions.push_back({row.text("package"), row.text("version"), row.text("torch"),
                               row.optional_text("fits"), row.optional_flag("any_cuda", false)});
  } else if (kind == "cxx11_abi") {
    into.cxx_abis.push_back({row.text("torch"), row.optional_text("cuda"), true});
  } else if (kind == "cuda_library") {
    into.cuda_libraries.push_back({row.text("name")});
  } else if (kind == "debian_library") {
    into.debian_libraries.push_back({row.text("library"), row.text("package")});
  } else {
    return read_hardware_row(kind, row, into);
  }
  return true;
}

Result<void> read_tables(const toml::table& root, CompatibilityTables& into) {
  for (const auto& [kind, node] : root) {
    const toml::array* const rows = node.as_array();
    const std::string_view name = kind.str();
    if (rows == nullptr)
      return make_error(ErrorKind::Corrupt, "compatibility data: unknown table `{}`", name);
    for (const toml::node& item : *rows) {
      const toml::table* const table = item.as_table();
      if (table == nullptr)
        return make_error(ErrorKind::Corrupt, "compatibility data: `{}` holds no rows", name);
      Row row(*table, name);
      if (!read_row(name, row, into))
        return make_error(ErrorKind::Corrupt, "compatibility data: unknown table `{}`", name);
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
  TRY(link_hardware(tables));
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
