#include "gpu/forward_compatibility.h"

#include <algorithm>

namespace slipway::gpu {
namespace {

template <typename Matches>
const ForwardCompatibility* find_row(const CompatibilityTables& tables, Matches matches) {
  const auto row = std::ranges::find_if(tables.forward_compatibilities, matches);
  return row == tables.forward_compatibilities.end() ? nullptr : &*row;
}

}  // namespace

const ForwardCompatibility* find_forward_compatibility(const CompatibilityTables& tables,
                                                       std::string_view cuda) {
  return find_row(tables, [&](const ForwardCompatibility& row) { return row.cuda == cuda; });
}

const ForwardCompatibility* find_forward_compatibility(const CompatibilityTables& tables,
                                                       const DriverVersion& driver) {
  return find_row(tables, [&](const ForwardCompatibility& row) {
    return row.driver.branch() == driver.branch();
  });
}

bool fits_driver(const ForwardCompatibility& row, const DriverVersion& driver) {
  return std::ranges::find(row.branches, driver.branch()) != row.branches.end();
}

bool fits_kind(const ForwardCompatibility& row, std::string_view kind) {
  return std::ranges::find(row.kinds, kind) != row.kinds.end();
}

bool knows_chip(const ForwardCompatibility& row, const GpuModel& gpu) {
  return !gpu.last_driver || row.driver.branch() <= gpu.last_driver->branch();
}

bool stands_in(const ForwardCompatibility& row, const DriverVersion& driver, const GpuModel& gpu) {
  return fits_driver(row, driver) && fits_kind(row, gpu.kind) && knows_chip(row, gpu);
}

std::string branches_text(const ForwardCompatibility& row) {
  std::string text;
  for (std::size_t i = 0; i < row.branches.size(); ++i) {
    const bool is_last = i + 1 == row.branches.size();
    text += fmt::format("{}{}", i == 0 ? "" : is_last ? " or " : ", ", row.branches[i]);
  }
  return text;
}

std::string kind_text(std::string_view kind) {
  if (kind == "geforce") return "GeForce";
  if (kind == "jetson") return "Jetson module";
  if (kind == "data-centre") return "data-centre GPU";
  return kind.empty() ? "GPU" : fmt::format("{} GPU", kind);
}

}  // namespace slipway::gpu
