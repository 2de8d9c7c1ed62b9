#include "gpu/python_packages.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/file.h"
#include "gpu/remedy.h"

namespace slipway::gpu {
namespace {

constexpr std::string_view kMetadata = ".dist-info/METADATA", kRecord = ".dist-info/RECORD";
constexpr std::string_view kTorchVersion = "/torch/version.py";

std::string_view next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool tells_of_gpus(std::string_view requirement) {
  for (const std::string_view prefix : {"nvidia-", "torch", "triton", "cuda-"}) {
    if (requirement.starts_with(prefix)) return true;
  }
  return false;
}

/// The header of METADATA (core metadata: e-mail headers up to the first empty line).
PythonPackage read_metadata(const PackageFile& file) {
  PythonPackage package;
  package.folder = parent_path(file.path);
  std::string_view rest = file.text;
  while (!rest.empty()) {
    const std::string_view line = next_line(rest);
    if (line.empty()) break;
    const auto value = [&](std::string_view key) -> std::string_view {
      return line.starts_with(key) ? line.substr(key.size()) : std::string_view();
    };
    if (const auto name = value("Name: "); !name.empty()) package.name = package_of(name);
    if (const auto text = value("Version: "); !text.empty()) package.version = text;
    if (const auto text = value("Requires-Dist: "); tells_of_gpus(text))
      package.requirements.emplace_back(text);
  }
  return package;
}

/// `cuda: Optional[str] = '12.4'`, `cuda = None`.
std::string read_torch_cuda(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (!line.starts_with("cuda")) continue;
    const std::size_t equals = line.find("= ");
    if (equals == std::string_view::npos) continue;
    std::string_view value = line.substr(equals + 2);
    if (value.starts_with("None")) return "none";
    if (value.size() < 3 || (value[0] != '\'' && value[0] != '"')) continue;
    return std::string(value.substr(1, value.find(value[0], 1) - 1));
  }
  return "";
}

/// First fields of RECORD that are libraries, as paths of the tree.
void note_record(const PackageFile& file, const std::string& owner,
                 std::unordered_map<std::string, std::string>& owners) {
  const std::string root = parent_path(parent_path(file.path));
  std::string_view rest = file.text;
  while (!rest.empty()) {
    std::string_view line = next_line(rest);
    if (line.find(".so") == std::string_view::npos) continue;
    std::string path;
    if (line.starts_with('"')) {
      path = line.substr(1, line.find('"', 1) - 1);
    } else {
      path = line.substr(0, line.find(','));
    }
    const Result<std::string> absolute = absolute_path(root + "/" + path);
    if (absolute.ok()) owners.emplace(absolute.value(), owner);
  }
}

}  // namespace

bool is_package_file(std::string_view path) {
  return path.ends_with(kMetadata) || path.ends_with(kRecord) || path.ends_with(kTorchVersion);
}

void add_packages(const std::vector<PackageFile>& files, LayerLibraries& layer) {
  std::map<std::string, PythonPackage> packages;
  for (const PackageFile& file : files) {
    if (!file.path.ends_with(kMetadata)) continue;
    PythonPackage package = read_metadata(file);
    if (!package.name.empty()) packages.emplace(package.folder, std::move(package));
  }
  std::unordered_map<std::string, std::string> owners;
  for (const PackageFile& file : files) {
    if (file.path.ends_with(kRecord)) {
      const auto package = packages.find(parent_path(file.path));
      if (package != packages.end())
        note_record(file, package->second.name + " " + package->second.version, owners);
    }
    if (!file.path.ends_with(kTorchVersion)) continue;
    const std::string root = parent_path(parent_path(file.path));
    for (auto& [folder, package] : packages) {
      if (package.name == "torch" && parent_path(folder) == root)
        package.cuda = read_torch_cuda(file.text);
    }
  }
  for (LibraryFile& file : layer.elves) {
    const auto owner = owners.find(file.path);
    if (owner != owners.end()) file.owner = owner->second;
  }
  for (auto& [folder, package] : packages) layer.packages.push_back(std::move(package));
}

}  // namespace slipway::gpu
