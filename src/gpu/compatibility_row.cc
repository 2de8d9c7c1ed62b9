#include "gpu/compatibility_row.h"

namespace slipway::gpu {
namespace {

Result<void> read_table(std::string_view kind, const toml::node& node, const ReadRow& read) {
  const toml::array* const rows = node.as_array();
  if (rows == nullptr)
    return make_error(ErrorKind::Corrupt, "compatibility data: unknown table `{}`", kind);
  for (const toml::node& item : *rows) {
    const toml::table* const table = item.as_table();
    if (table == nullptr)
      return make_error(ErrorKind::Corrupt, "compatibility data: `{}` holds no rows", kind);
    Row row(*table, kind);
    if (!read(kind, row))
      return make_error(ErrorKind::Corrupt, "compatibility data: unknown table `{}`", kind);
    TRY(row.finish());
  }
  return {};
}

}  // namespace

Result<void> read_rows(std::string_view text, const ReadRow& read) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return make_error(ErrorKind::Corrupt, "compatibility data, line {}: {}",
                      error.source().begin.line, error.description());
  }
  for (const auto& [kind, node] : root) TRY(read_table(kind.str(), node, read));
  return {};
}

}  // namespace slipway::gpu
