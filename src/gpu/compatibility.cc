#include "gpu/compatibility.h"

#include "gpu/compatibility_row.h"

namespace slipway::gpu {

extern const std::string_view kCompatibilityText;

namespace {

/// Whether it is a table that we know.
bool read_row(std::string_view kind, Row& row, CompatibilityTables& into) {
  if (kind == "preload") {
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

}  // namespace

Result<CompatibilityTables> parse_compatibility(std::string_view text) {
  CompatibilityTables tables;
  TRY(read_rows(text,
                [&](std::string_view kind, Row& row) { return read_row(kind, row, tables); }));
  TRY(link_hardware(tables));
  return tables;
}

const CompatibilityTables& compatibility_tables() {
  static const CompatibilityTables tables = parse_compatibility(kCompatibilityText).value();
  return tables;
}

}  // namespace slipway::gpu
