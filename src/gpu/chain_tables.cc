#include "gpu/chain_tables.h"

#include <algorithm>
#include <map>
#include <set>

namespace slipway::gpu {
namespace {

/// By numbers: 12.10 is newer than 12.9.
std::pair<int, int> numbers_of(std::string_view cuda) {
  const auto numbers = parse_driver_version(cuda);  // the same form: numbers and dots
  if (!numbers.ok() || numbers->parts.size() < 2) return {0, 0};
  return {numbers->parts[0], numbers->parts[1]};
}

std::string_view major_of(std::string_view version) { return version.substr(0, version.find('.')); }

}  // namespace

std::vector<std::string> known_cudas(const CompatibilityTables& tables) {
  std::set<std::string> all;
  for (const TorchBuild& row : tables.torch_builds) all.insert(row.cuda);
  for (const TorchCuda& row : tables.torch_cudas) all.insert(row.cuda.begin(), row.cuda.end());
  for (const CudaRelease& row : tables.cuda_releases) all.insert(row.cuda);
  std::vector<std::string> sorted(all.begin(), all.end());
  std::ranges::sort(sorted, std::greater<>(), numbers_of);
  return sorted;
}

std::vector<std::string> published_builds(const CompatibilityTables& tables) {
  std::set<std::string> cudas;
  for (const TorchCuda& row : tables.torch_cudas) cudas.insert(row.cuda.begin(), row.cuda.end());
  std::vector<std::string> sorted(cudas.begin(), cudas.end());
  std::ranges::sort(sorted, std::greater<>(), numbers_of);
  for (std::string& cuda : sorted) {
    std::erase(cuda, '.');
    cuda.insert(0, "cu");
  }
  sorted.emplace_back("cpu");
  return sorted;
}

std::string default_cuda(const CompatibilityTables& tables, std::string_view torch_series) {
  for (const TorchBuild& row : tables.torch_builds) {
    if (row.torch == torch_series) return row.cuda;
  }
  return {};
}

const Companion* find_companion(const CompatibilityTables& tables, std::string_view package,
                                std::string_view series) {
  const auto row = std::ranges::find_if(tables.companions, [&](const Companion& each) {
    return each.package == package && each.version.starts_with(series) &&
           (each.version.size() == series.size() || each.version[series.size()] == '.');
  });
  return row == tables.companions.end() ? nullptr : &*row;
}

CxxAbiRow find_cxx_abi(const CompatibilityTables& tables, std::string_view torch_series) {
  for (const CxxAbiRow& row : tables.cxx_abis) {
    const bool is_it = row.torch == torch_series;
    const bool is_later = row.cuda.empty() && numbers_of(row.torch) <= numbers_of(torch_series);
    if (is_it || is_later) return row;
  }
  return {std::string(torch_series), "", false};
}

const TorchArch* find_torch_arch(const CompatibilityTables& tables, std::string_view torch_series,
                                 std::string_view cuda) {
  const TorchArch* newest = nullptr;
  for (const TorchArch& row : tables.torch_archs) {
    if (row.cuda != cuda) continue;
    if (row.torch == torch_series) return &row;
    if (newest == nullptr || numbers_of(newest->torch) < numbers_of(row.torch)) newest = &row;
  }
  const bool is_newer = newest != nullptr && numbers_of(newest->torch) < numbers_of(torch_series);
  return is_newer ? newest : nullptr;
}

std::string capabilities_text(const TorchArch& row) {
  std::map<int, int> lowest;
  for (const ComputeCapability& code : row.sass) {
    const auto [entry, is_new] = lowest.emplace(code.major, code.minor);
    if (!is_new) entry->second = std::min(entry->second, code.minor);
  }
  std::vector<std::string> words;
  for (const auto& [major, minor] : lowest) {
    words.push_back(minor == 0 ? fmt::format("{}.x", major) : fmt::format("{}.{}", major, minor));
  }
  for (const ComputeCapability& code : row.ptx) {
    words.push_back(fmt::format("anything from {} on", code.text()));
  }
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  }
  return text;
}

std::optional<DriverVersion> driver_floor(const CompatibilityTables& tables,
                                          std::string_view cuda) {
  for (const CudaDriver& row : tables.cuda_drivers) {
    if (row.cuda == cuda) return row.min_driver;  // an exception to its major's rule
  }
  for (const CudaDriver& row : tables.cuda_drivers) {
    if (row.cuda == major_of(cuda)) return row.min_driver;
  }
  return std::nullopt;
}

std::vector<DriverVersion> driver_floors(const CompatibilityTables& tables) {
  std::vector<DriverVersion> floors;
  for (const CudaDriver& row : tables.cuda_drivers) floors.push_back(row.min_driver);
  for (const Architecture& row : tables.architectures) {
    if (row.first_driver) floors.push_back(*row.first_driver);
  }
  std::ranges::sort(floors, [](const auto& a, const auto& b) { return compare(a, b) < 0; });
  floors.erase(std::unique(floors.begin(), floors.end()), floors.end());
  return floors;
}

}  // namespace slipway::gpu
